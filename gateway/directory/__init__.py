"""Directory 单位目录: units with dated lineage, owned here and told to every service."""
