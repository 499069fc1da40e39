"""Petition system 信访信息系统."""
