"""Surveys 民意测评: what people outside the government say of it, asked by telephone, on site, on the web, on paper."""
