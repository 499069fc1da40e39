"""Assessment 法治政府建设考核: weighs what the other services publish. See README.md."""
