"""The five services. They meet only through events and contracts; none imports another."""
