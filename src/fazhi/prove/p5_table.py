"""
The declared table of P5: every route, the roles that may knock, what it is about, and for whom that exists.

A line is: method, path after /api with the version left out, roles, the kind of object, and the scope. Roles are letters
(R 填报员, H 单位负责人, V 审核员, I 督察员, T 第三方评估, S 系统管理员, C 安全管理员, A 审计管理员, X 外部系统), `staff` is RHVI,
`work` and `score` are for business and for scores, `all` is everybody signed in, `-` is the public. A kind with `*` is
a list: only objects in the scope may be in it. `-` is a route about no object of a unit. For whom an object exists says
its scope, below; to everybody else it does not exist: 404 with the words for an object that never was. A new route gets
a line here, or the proof fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kernel.access.principal import Principal

ROLES = {
    "R": "reporter",
    "H": "unit_head",
    "V": "reviewer",
    "I": "inspector",
    "T": "third_party",
    "S": "system_admin",
    "C": "security_admin",
    "A": "audit_admin",
    "X": "external_system",
}
# Those who administer the system and its keys are in neither `work` nor `score`, those who audit only in `score` (R36).
GROUPS = {"staff": "RHVI", "work": "RHVIT", "score": "RHVITA", "all": "RHVITSCA", "-": ""}


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: its kind, what stands for it in a path, the path of its unit, and what else decides who knows of it."""

    kind: str
    params: Mapping[str, str]
    path: str
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """The code of its unit."""
        return self.path.strip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Route:
    """A line of the table."""

    method: str
    path: str
    roles: frozenset[str]
    kind: str
    scope: str

    @property
    def is_list(self) -> bool:
        """Whether it shows many objects."""
        return self.kind.startswith("*")


def _within(who: Principal, path: str) -> bool:
    return bool(path and who.unit_path) and path.startswith(who.unit_path)


def _is_unit(who: Principal, *units: str) -> bool:
    return bool(who.unit) and who.unit in units


def _report(who: Principal, thing: Thing) -> bool:
    """A draft exists for its unit alone; what was handed in, for the inspectors above too."""
    if who.has("reporter", "unit_head") and _is_unit(who, thing.unit):
        return True
    return who.has("inspector") and _within(who, thing.path) and thing.more["state"] != "draft"


def _order(who: Principal, thing: Thing) -> bool:
    """What is only proposed exists for those who supervise; the unit learns of it when it is issued."""
    return _within(who, thing.path) and (who.has("reviewer", "inspector") or bool(thing.more["issuer"]))


def _decision(who: Principal, thing: Thing) -> bool:
    """Units above the deciding one, and the two departments that carry and review it."""
    return _within(who, thing.path) or _is_unit(who, thing.more["lead"], thing.more["reviewer"])


# Scope -> whether an object in it exists for somebody who may knock.
SCOPES: Mapping[str, Callable[[Principal, Thing], bool]] = {
    "all": lambda _who, _thing: True,
    "area": lambda who, thing: _within(who, thing.path),
    "own": lambda who, thing: _is_unit(who, thing.unit),
    "top": lambda who, _thing: who.unit_path.count("/") == 2,
    "detail": lambda who, thing: (
        _within(who, thing.path) and who.has(*(ROLES[one] for one in GROUPS["score"]))
    ),
    # what lies above somebody is his too: the plan of his county
    "seen": lambda who, thing: (
        _within(who, thing.path) or bool(who.unit_path and who.unit_path.startswith(thing.path))
    ),
    "report": _report,
    "order": _order,
    "review": lambda who, thing: who.account == thing.more["reviewer"],
    "sheet": lambda who, thing: (
        who.account == thing.more["assignee"]
        or (who.has("inspector", "audit_admin") and _within(who, thing.path))
    ),
    "clue": lambda who, thing: (
        who.account == thing.more["system"] if who.has("external_system") else _within(who, thing.path)
    ),
    "case": lambda who, thing: _within(who, thing.path) or _within(who, thing.more["respondent"]),
    "organ": lambda who, thing: _is_unit(who, thing.unit),
    "parties": lambda who, thing: _is_unit(who, thing.unit, thing.more["respondent_unit"]),
    "decision": _decision,
    "undertakers": lambda who, thing: (
        _is_unit(who, thing.unit, thing.more["lead"], thing.more["reviewer"])
        or f"/{thing.unit}/" in who.unit_path
    ),
    # one file holds the cases of many units: it is for those who may see every one of them
    "caselist": lambda who, thing: all(_within(who, path) for path in thing.more["units"].split(",")),
}

TABLE = """
POST   /gateway/sessions                                                    -     -                all
POST   /gateway/sessions/renew                                              -     -                all
GET    /gateway/sessions/current                                            all   -                all
DELETE /gateway/sessions/current                                            all   -                all
POST   /gateway/passwords                                                   -     -                all
GET    /gateway/demonstration                                               -     -                all
GET    /gateway/accounts                                                    HSCA  *account         area
POST   /gateway/accounts                                                    S     unit             area
POST   /gateway/accounts/{account}/state                                    S     account          area
POST   /gateway/accounts/{account}/unit                                     S     account          area
GET    /gateway/grants                                                      HSCA  *grant           area
POST   /gateway/grants                                                      HS    unit             area
POST   /gateway/grants/{grant}/decision                                     C     grant            area
DELETE /gateway/grants/{grant}                                              C     grant            area
GET    /gateway/second-factor                                               all   -                all
POST   /gateway/second-factor                                               all   -                all
POST   /gateway/second-factor/confirmation                                  all   -                all
GET    /gateway/factor-removals                                             HSCA  *removal         area
POST   /gateway/factor-removals                                             HS    account          area
POST   /gateway/factor-removals/{removal}/decision                          C     removal          area
GET    /gateway/audit                                                       A     -                all
GET    /gateway/audit/seal                                                  A     -                all
GET    /legislation/audit                                                   A     -                all
GET    /legislation/audit/seal                                              A     -                all
GET    /disputes/audit                                                      A     -                all
GET    /disputes/audit/seal                                                 A     -                all
GET    /decisions/audit                                                     A     -                all
GET    /decisions/audit/seal                                                A     -                all
GET    /enforcement/audit                                                   A     -                all
GET    /enforcement/audit/seal                                              A     -                all
GET    /assessment/audit                                                    A     -                all
GET    /assessment/audit/seal                                               A     -                all
GET    /gateway/units                                                       all   *unit.code       area
GET    /gateway/units/{code}/versions                                       all   unit.code        area
POST   /gateway/units                                                       S     unit             area
POST   /gateway/units/{code}/versions                                       S     unit.code        area
POST   /gateway/partners/tokens                                             -     -                all
PUT    /gateway/partners/{system}                                           S     -                all
POST   /gateway/partners/{system}/keys                                      C     -                all
DELETE /gateway/partners/{system}/keys                                      C     -                all
POST   /gateway/clues                                                       -     -                all
POST   /gateway/clues/{receipt}/follow                                      -     -                all
GET    /gateway/clues                                                       VI    *clue            area
GET    /gateway/clues/{receipt}                                             VIX   clue             clue
GET    /gateway/quarantine                                                  I     -                top
POST   /gateway/quarantine/{entry}/release                                  I     -                top
POST   /gateway/quarantine/{entry}/refusal                                  I     -                top
GET    /gateway/answers                                                     I     -                top
POST   /gateway/answers/{answer}/attempts                                   I     answer           top
GET    /gateway/clues/{receipt}/evidence/{digest}                           VI    original         area
POST   /gateway/clues/{receipt}/amendments                                  I     clue             area
GET    /gateway/corrections-asked                                           staff *correction.gateway area
GET    /legislation/articles/search                                         all   -                all
GET    /legislation/basis                                                   all   -                all
GET    /legislation/documents                                               all   -                all
GET    /legislation/documents/{document}                                    all   -                all
POST   /legislation/imports                                                 VS    -                all
GET    /legislation/usage/documents                                         all   -                all
GET    /legislation/usage/documents/{document}                              all   -                all
GET    /legislation/normative-documents                                     work  *document        area
GET    /legislation/normative-documents/{document}                          work  document         area
POST   /legislation/normative-documents                                     RHV   unit             area
PUT    /legislation/normative-documents/{document}                          RHV   document         area
GET    /legislation/normative-documents/{subject}/evidence                  work  document.subject area
GET    /legislation/normative-documents/{subject}/evidence/{digest}         work  document_file    area
POST   /legislation/normative-documents/{subject}/files                     RHV   document.subject area
GET    /legislation/corrections-asked                                       staff *correction.legislation area
GET    /disputes/reconsiderations                                           work  *case            case
GET    /disputes/reconsiderations/{case}                                    work  case             case
POST   /disputes/reconsiderations                                           RH    -                all
POST   /disputes/reconsiderations/{case}/steps                              RH    case             organ
POST   /disputes/reconsiderations/imports                                   RHI   -                all
GET    /disputes/reconsiderations/{subject}/evidence                        work  case.subject     case
GET    /disputes/reconsiderations/{subject}/evidence/{digest}               work  case_file        case
POST   /disputes/reconsiderations/{subject}/files                           RHV   case.subject     parties
GET    /disputes/rates                                                      work  -                all
GET    /disputes/rates/{rate}/cases                                         work  -                all
GET    /disputes/matters                                                    staff *matter          area
POST   /disputes/matters/{receipt}/answer                                   RH    matter           area
GET    /disputes/court_outcomes                                             staff *                area
GET    /disputes/corrections-asked                                          staff *correction.disputes area
GET    /decisions/decisions                                                 work  *decision        decision
GET    /decisions/decisions/{decision}                                      work  decision         decision
POST   /decisions/decisions                                                 RH    -                all
POST   /decisions/decisions/{decision}/steps                                RH    decision         undertakers
POST   /decisions/decisions/imports                                         RHI   -                all
GET    /decisions/decisions/{subject}/evidence                              work  decision.subject decision
GET    /decisions/decisions/{subject}/evidence/{digest}                     work  decision_file    decision
POST   /decisions/decisions/{subject}/files                                 RHV   decision.subject undertakers
GET    /decisions/corrections-asked                                         staff *correction.decisions area
GET    /enforcement/bodies                                                  work  *                area
GET    /enforcement/officers                                                work  *                area
GET    /enforcement/powers                                                  work  *                area
GET    /enforcement/certificates/{number}                                   -     -                all
GET    /enforcement/cases                                                   work  *penalty         area
GET    /enforcement/cases/{case}                                            work  penalty          area
POST   /enforcement/cases/look-again                                        V     -                all
POST   /enforcement/case-files                                              RH    -                all
POST   /enforcement/case-files/{digest}/confirm                             RH    case_list        own
GET    /enforcement/case-files/{digest}                                     RH    case_list        own
GET    /enforcement/case-files/{digest}/content                             work  case_list        caselist
GET    /enforcement/leads                                                   VI    *lead            area
GET    /enforcement/leads/{lead}                                            VI    lead             area
POST   /enforcement/leads/{lead}/acceptance                                 I     lead             area
POST   /enforcement/leads/{lead}/return                                     I     lead             area
POST   /enforcement/leads/{lead}/answer                                     I     lead             area
GET    /enforcement/corrections-asked                                       staff *correction.enforcement area
GET    /assessment/ledger/checkpoint                                        -     -                all
GET    /assessment/ledger/tile/{path:path}                                  -     -                all
GET    /assessment/ledger/sm3/tile/{path:path}                              -     -                all
GET    /assessment/ledger/proofs/inclusion                                  -     -                all
GET    /assessment/ledger/proofs/consistency                                -     -                all
GET    /assessment/ledger/status                                            all   -                all
GET    /assessment/units/{unit}/receipts                                    score unit             detail
GET    /assessment/rankings/intervals                                       score -                all
GET    /assessment/units/{unit}/trend                                       score unit             detail
GET    /assessment/units/{unit}/advice                                      score unit             detail
POST   /assessment/what-ifs                                                 score -                all
POST   /assessment/replays                                                  VI    -                all
GET    /assessment/replays                                                  staff -                all
GET    /assessment/replays/{replay}                                         staff -                all
GET    /assessment/replays/{replay}/report                                  staff -                all
GET    /assessment/replays/{replay}/ranking                                 staff -                all
GET    /assessment/replays/{replay}/report.json                             staff -                all
GET    /assessment/replays/{replay}/report.xlsx                             staff -                all
GET    /assessment/frameworks/current                                       all   -                all
GET    /assessment/rankings                                                 score -                all
GET    /assessment/units/{unit}/score                                       score unit             detail
GET    /assessment/frameworks                                               all   -                all
GET    /assessment/frameworks/{framework}/{version}                         all   -                all
GET    /assessment/frameworks/{framework}/{version}/difference              all   -                all
GET    /assessment/frameworks/{framework}/{version}/file                    all   -                all
POST   /assessment/framework_drafts                                         V     -                all
POST   /assessment/framework_drafts/copies                                  V     -                all
GET    /assessment/framework_drafts/{draft}                                 VI    -                all
GET    /assessment/framework_drafts/{draft}/difference                      VI    -                all
GET    /assessment/framework_drafts/{draft}/file                            VI    -                all
GET    /assessment/framework_proposals                                      VI    -                all
POST   /assessment/framework_proposals                                      V     -                all
POST   /assessment/framework_proposals/{proposal}/decision                  VI    -                all
GET    /assessment/task_plans                                               staff -                all
POST   /assessment/task_plans                                               VI    unit             area
GET    /assessment/task_plans/{plan}/areas                                  staff plan             seen
GET    /assessment/task_plans/{plan}/areas/{area}                           staff task             seen
GET    /assessment/task_plans/{plan}/areas/{area}/file                      staff task             seen
POST   /assessment/task_plans/{plan}/areas/{area}/file                      VI    task             area
POST   /assessment/task_plans/{plan}/areas/{area}/tasks/{node}/assignment   VI    task             area
GET    /assessment/task_plans/{plan}/areas/{area}/tasks/{node}/notes        staff task             seen
POST   /assessment/task_plans/{plan}/areas/{area}/tasks/{node}/notes        staff task             seen
GET    /assessment/tasks                                                    staff *                own
GET    /assessment/tasks/calendar                                           staff *                area
GET    /assessment/home/tasks                                               staff *                own
GET    /assessment/units/{unit}/entries                                     score unit             detail
GET    /assessment/units/{unit}/explanation                                 score unit             detail
GET    /assessment/warnings                                                 staff *                area
GET    /assessment/orders                                                   staff *order           order
POST   /assessment/orders                                                   VI    unit             area
GET    /assessment/orders/{order}                                           staff order            order
POST   /assessment/orders/{order}/issue                                     I     order            order
POST   /assessment/orders/{order}/files                                     RH    order            order
GET    /assessment/orders/{order}/files/{digest}                            staff order_file       order
POST   /assessment/orders/{order}/answer                                    RH    order            order
POST   /assessment/orders/{order}/check                                     VI    order            order
POST   /assessment/orders/{order}/return                                    I     order            order
POST   /assessment/orders/{order}/extension                                 I     order            order
POST   /assessment/orders/{order}/closing                                   I     order            order
GET    /assessment/objections                                               staff *objection       area
POST   /assessment/objections                                               H     -                all
GET    /assessment/objections/{objection}                                   staff objection        area
POST   /assessment/objections/{objection}/files                             RH    objection        area
GET    /assessment/objections/{objection}/files/{digest}                    staff objection_file   area
POST   /assessment/objections/{objection}/withdrawal                        H     objection        area
POST   /assessment/objections/{objection}/acceptance                        VI    objection        area
POST   /assessment/objections/{objection}/refusal                           VI    objection        area
POST   /assessment/objections/{objection}/draft                             VI    objection        area
POST   /assessment/objections/{objection}/confirmation                      VI    objection        area
POST   /assessment/objections/{objection}/return                            VI    objection        area
GET    /assessment/rankings/contested                                       score -                all
GET    /assessment/periods                                                  all   -                all
POST   /assessment/periods/{period}/requests                                I     -                top
POST   /assessment/periods/{period}/decisions                               I     -                top
GET    /assessment/periods/{period}/late-facts                              VIA   *                area
GET    /assessment/publication-requests                                     VIA   -                all
POST   /assessment/publication-requests                                     I     -                top
POST   /assessment/publication-requests/{request}/decision                  I     -                top
GET    /assessment/publications/{publication}/events                        IA    -                top
GET    /assessment/public/publications                                      -     -                all
GET    /assessment/public/publications/{publication}                        -     -                all
GET    /assessment/public/publications/{publication}/files/{name}           -     -                all
GET    /assessment/publications/{publication}/units                         IA    -                top
GET    /assessment/public/keys                                              -     -                all
POST   /assessment/bulletins                                                VI    -                all
GET    /assessment/bulletins                                                RHVIA -                all
GET    /assessment/bulletins/{bulletin}/files/{form}                        RHVIA -                all
GET    /assessment/publications/{publication}/workbook                      VIA   -                top
POST   /assessment/detection/runs                                           I     -                all
GET    /assessment/detection/drafts                                         IA    *sign            area
POST   /assessment/detection/drafts/{draft}/decision                        I     sign             area
POST   /assessment/surveys                                                  VI    -                all
GET    /assessment/surveys                                                  VIA   *survey          seen
GET    /assessment/surveys/{survey}                                         VIA   survey           seen
POST   /assessment/surveys/{survey}/codes                                   VI    survey           seen
POST   /assessment/surveys/{survey}/count                                   VI    survey           seen
POST   /assessment/surveys/{survey}/files                                   VI    survey           seen
GET    /assessment/surveys/{survey}/files/{digest}                          VIA   -                all
POST   /assessment/public/survey-paper                                      -     -                all
POST   /assessment/public/survey-answers                                    -     -                all
POST   /assessment/sheets                                                   I     unit             area
GET    /assessment/sheets                                                   VITA  *sheet           sheet
GET    /assessment/sheets/{sheet}                                           VITA  sheet            sheet
POST   /assessment/sheets/{sheet}/versions                                  VIT   sheet            sheet
POST   /assessment/sheets/{sheet}/files                                     VIT   sheet            sheet
GET    /assessment/sheets/{sheet}/files/{digest}                            VITA  -                sheet
GET    /assessment/reports                                                  RH    *                own
POST   /assessment/reports                                                  RH    -                all
GET    /assessment/reports/area                                             I     *report          report
GET    /assessment/reports/workbook                                         RH    -                all
POST   /assessment/reports/workbooks                                        RH    -                all
POST   /assessment/reports/workbooks/{digest}/confirm                       RH    -                all
GET    /assessment/reports/{report}                                         RHI   report           report
POST   /assessment/reports/{report}/draft                                   RH    report           own
POST   /assessment/reports/{report}/submission                              H     report           own
POST   /assessment/reports/{report}/withdrawal                              H     report           own
POST   /assessment/reports/{report}/files                                   RH    report           own
GET    /assessment/reports/{report}/files/{digest}                          RHI   report_file      report
GET    /assessment/reports/{report}/objects                                 RH    report           own
GET    /assessment/reviews                                                  VI    *                review
GET    /assessment/reviews/area                                             I     *                area
GET    /assessment/reviews/agreement                                        VI    -                all
GET    /assessment/reviews/membership                                       V     -                all
POST   /assessment/reviews/membership                                       V     -                all
DELETE /assessment/reviews/membership                                       V     -                all
POST   /assessment/reviews/many                                             V     -                all
POST   /assessment/reviews/{assignment}/opening                             VI    review           review
POST   /assessment/reviews/{assignment}/answer                              VI    review           review
POST   /assessment/reviews/{assignment}/handing-on                          I     review           area
GET    /assessment/reviews/{assignment}                                     VI    review           review
GET    /assessment/reviews/{assignment}/files/{digest}                      VI    review_file      review
"""


def routes() -> list[Route]:
    """The lines of the table."""
    found = []
    for line in TABLE.strip().splitlines():
        method, path, roles, kind, scope = line.split()
        letters = GROUPS.get(roles, roles)
        found.append(Route(method, path, frozenset(ROLES[letter] for letter in letters), kind, scope))
    return found
