"""Roles 角色 of the platform (R36), with their official titles. The kernel sees only the codes."""

REPORTER = "reporter"
UNIT_HEAD = "unit_head"
REVIEWER = "reviewer"
INSPECTOR = "inspector"
THIRD_PARTY = "third_party"
SYSTEM_ADMIN = "system_admin"
SECURITY_ADMIN = "security_admin"
AUDIT_ADMIN = "audit_admin"
EXTERNAL_SYSTEM = "external_system"

TITLES = {
    REPORTER: "填报员",
    UNIT_HEAD: "单位负责人",
    REVIEWER: "审核员",
    INSPECTOR: "督察员",
    THIRD_PARTY: "第三方评估",
    SYSTEM_ADMIN: "系统管理员",
    SECURITY_ADMIN: "安全管理员",
    AUDIT_ADMIN: "审计管理员",
    EXTERNAL_SYSTEM: "外部系统",
}

STAFF = (REPORTER, UNIT_HEAD, REVIEWER, INSPECTOR)
# A unit's own business is for those who do it or judge it; administrators of system, keys and audit do neither (R36).
BUSINESS = (*STAFF, THIRD_PARTY)
# The audit administrator runs the check of the ledger, which leads from a score down to its facts.
SCORE_READERS = (*BUSINESS, AUDIT_ADMIN)
EVERYONE_SIGNED_IN = (*STAFF, THIRD_PARTY, SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN)
