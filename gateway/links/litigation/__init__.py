"""Administrative litigation 行政诉讼案件信息."""
