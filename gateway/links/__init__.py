"""Links 外部系统对接: one folder an outside system; what differs between them is data in catalog/links."""
