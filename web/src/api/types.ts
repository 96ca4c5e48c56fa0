// Wire types of API v1, named as in api/openapi.json. Times are UTC milliseconds.

export interface Text { zh: string; en: string }
export interface Page<T> { items: T[]; next?: string | null; total?: number | null }
export interface Written { seq: number }
export interface PersonRef { id: string; name: string; staff_no: string }
export interface CaseRef { id: string; number: string }
export interface OrgRef { id: string; name: Text }
export interface LevelOut { id: string; title: Text; rank: number }

export interface FieldWrong { pointer: string; message: string }
export interface ProblemBody {
  status: number; code: string; title: string; detail?: string;
  fields?: { pointer: string; text: string }[]; request_id?: string; retry_after_s?: number;
}

// ---- session
export interface PostRef { id: string; title: Text; org: string }
export interface Session {
  person: { id: string; name: string; staff_no: string; login: string };
  org: OrgRef; lang: string; csrf: string;
  must_change_password: boolean; totp_enrolled: boolean;
  permissions: string[]; posts: PostRef[];
  expires_at: number; authenticated_at: number; now_ms: number; version: string;
}
export interface SessionItem { id: string; since: number; seen_at: number; expires_at: number; current: boolean }
export interface TotpOut { secret: string; uri: string }

// ---- cases
export interface CaseBrief {
  id: string; number: string; title: string; procedure: string; version: number;
  procedure_title: Text; state: string; state_title: Text; final: boolean;
  org: string; mode: string; level?: LevelOut; facts: Record<string, unknown>;
  opened_at: number; changed_at: number; closed_at?: number;
  next_due_at?: number; next_due_title?: Text;
  late: boolean; flags: string[]; seq: number;
}
export interface FactOut {
  name: string; type: string; title: Text; value: unknown; text?: Text;
  set_by?: PersonRef; set_at?: number; seq?: number;
}
export interface SegmentOut { from_at: number; to_at: number; counted_ms: number; kind: string; why: Text }
export interface ExplainOut {
  calendar: string; limit: string; calendar_version: number; limit_ms: number; used_before_ms: number;
  provisional: boolean; sentence: Text; segments: SegmentOut[];
}
export interface TaskOut {
  name: string; state: "open" | "asked" | "done" | "withdrawn"; title: Text; by: Text[];
  required: boolean; late: boolean; outbound: boolean; allowed: boolean; mine: boolean; reason_due: boolean;
  form?: string; condition?: string; withdrawn_because?: string; reason?: Text;
  opened_at: number; due_at?: number; done_at?: number; seq?: number;
  assignee?: PersonRef; done_by?: PersonRef; explain?: ExplainOut; evidence_needed: number; evidence_given: number;
}
export interface ActionOut {
  name: string; title: Text; form?: string; to?: string; to_title?: Text; reason?: Text;
  allowed: boolean; needs_approval: boolean; outbound: boolean; repeat: boolean; ends: boolean; amend: boolean; reason_due: boolean; missing: string[]; lets_in: PersonRef[];
}
export interface DutyOut {
  regulation: string; article: string; limit: string; title: Text; instrument: Text; to: Text;
  base: string; base_title: Text; base_at?: number; due_at?: number; filed_at?: number; late_ms?: number; certainty: string;
}
export interface PrefillOut {
  form: string; values: Record<string, unknown>; sources: { field: string; from: string; title: Text }[];
  duties: DutyOut[]; reason_due: boolean;
}
export interface MarkOut { percent: number; at?: number; fired: boolean }
export interface ClockOut {
  name: string; kind: "anchored" | "running"; state: "counting" | "still" | "stopped" | "lifted";
  limit: string; calendar: string; title: Text;
  since_at: number; used_ms: number; limit_ms: number; percent: number; due_at?: number; stopped_at?: number;
  late: boolean; wait: boolean; provisional: boolean; marks: MarkOut[]; explain: ExplainOut;
}
export interface ApprovalOut {
  id: number; asked_at: number; seq: number; needed: number; of: "task" | "action"; name: string; title: Text;
  asked_by: PersonRef; given: PersonRef[]; facts: Record<string, unknown>; to?: string; form: Record<string, unknown>;
  roles: string[]; allowed: boolean; reason?: Text;
}
export interface LinkOut {
  kind: string; as: string; id: string; number: string; procedure: string; state: string;
  title: Text; state_title: Text; closed: boolean;
}
export interface StateOut { name: string; title: Text; final: boolean }
export interface FormOut {
  form: string; of: string; seq: number; at_ms: number; by: PersonRef; title: Text; values: Record<string, unknown>;
}
export interface DecisionOut {
  seq: number; at_ms: number; by: PersonRef; decision: boolean; what: string; why: string; known: string;
}
export interface EvidenceOut {
  content: string; name: string; size: number; seq: number; at_ms: number; sha256: string; of: string; by: PersonRef;
}
export interface CaseRecord {
  brief: CaseBrief; starter?: PersonRef; commander?: PersonRef; states: StateOut[];
  chief_title: Text; chief_post: string; held_level: string; chiefs: PersonRef[];
  entered_at: number; first_seq: number; brief_due: boolean; can_take: boolean;
  facts: FactOut[]; tasks: TaskOut[]; actions: ActionOut[]; clocks: ClockOut[]; flag_titles: Text[];
  approvals: ApprovalOut[]; links: LinkOut[]; forms: FormOut[]; notes: DecisionOut[]; evidence: EvidenceOut[];
  alerts: AlertBrief[]; watchers: PersonRef[]; participants: PersonRef[];
  restricted: boolean; can_admit: boolean; readers: PersonRef[]; now_ms: number;
}
export interface TimelineItem {
  seq: number; at_ms: number; actor: PersonRef; kind: string; name: string; title: Text; basis: Text;
  detail?: Text; key: boolean; machine: boolean; late: boolean; hash: string;
}
export interface DelegationOut { id: string; from: PersonRef; to: PersonRef; posts: string[]; titles: Text[]; from_at: number; until_at: number; now: boolean }
export interface Did { seq: number; state: string; approval?: number }
export interface Started { seq: number; id: string; number: string }
export interface EvidenceMade { seq: number; size: number; content: string; sha256: string }

// ---- work
export interface WorkItem {
  kind: "task" | "approval" | "command" | "queue" | "owner" | "action" | "decide"; name: string; state: string;
  case_ref: CaseRef; procedure: string; org: string;
  title: Text; procedure_title: Text; state_title: Text; level?: LevelOut;
  due_at?: number; late: boolean; drill: boolean; assignee?: PersonRef;
}
export interface Workbench {
  now_ms: number; open_cases: number; work: WorkItem[]; next?: string; responses: CaseBrief[];
  alerts: { open: number; critical: number; high: number };
}
export interface Found { cases: CaseBrief[]; people: PersonRef[]; procedures: { id: string; title: Text }[] }

// ---- procedures and forms
export interface ProcedureOut {
  id: string; calendar: string; start_form: string; version: number;
  states: number; tasks: number; clocks: number; open_cases: number; title: Text; basis: string[]; retired_at?: number;
}
export interface FieldSchema {
  type: "boolean" | "integer" | "string" | "array" | "object";
  title?: Text; description?: Text; format?: "date-time" | "date"; enum?: string[];
  minimum?: number; maximum?: number; minLength?: number; maxLength?: number; minItems?: number; maxItems?: number;
  items?: FieldSchema; properties?: Record<string, FieldSchema>; required?: string[]; default?: unknown;
  "x-callwarden"?: { words?: Record<string, Text>; ref?: string; widget?: string; personal?: boolean; late?: boolean; from?: string[] };
}
export interface FormSchema extends FieldSchema {
  form: string; version: number;
  allOf?: { if: { properties: Record<string, { enum: unknown[] }> }; then: { required: string[] } }[];
  "x-facts"?: string[];
}
export type LimitOut = null | string | { key: string; table: Record<string, string> };
export interface Effect {
  set?: Record<string, unknown>; raise?: number; notify?: string[]; flag?: string; require?: string; link?: string;
  send?: string[]; text?: Text; open?: string; each?: string; as?: string; mode?: "drill";
}
export interface ApproveDef { by: string[]; quorum: number; order?: boolean }
export interface TaskDef {
  id: string; title: Text; by: string[]; form: string | null; limit: LimitOut; evidence: number; outbound: boolean;
  calendar?: string; when?: string; late?: Effect[]; set?: Record<string, unknown>; do?: Effect[]; approve?: ApproveDef;
}
export interface ActionDef {
  id: string; title: Text; form: string | null; outbound: boolean; repeat: boolean; by?: string[]; auto?: string; upon?: string;
  guard?: string; to?: string; set?: Record<string, unknown>; do?: Effect[]; approve?: ApproveDef;
}
export interface StateDef { id: string; title: Text; final: boolean; tasks: TaskDef[]; actions: ActionDef[]; enter?: Effect[]; retain_days?: number }
export interface ClockDef {
  id: string; title: Text; kind: "anchored" | "running"; limit: LimitOut; calendar: string; wait: boolean; regulation?: string; when?: string;
  from?: string | null; stop?: string | null; run?: string[]; reset_on_entry?: boolean; at: { percent: number; do: Effect[] }[];
}
export interface RegulationOut {
  regulation: string; title: Text; instrument: Text; article: string; duty: string; who: Text; when: Text; note?: Text;
  editions: { certainty: string; at_once: boolean; from_ms?: number; until_ms?: number; within?: Record<string, string>; to?: Record<string, Text> }[];
}
export interface Definition {
  procedure: string; version: number; title: Text; basis: string[]; calendar: string;
  levels: { id: string; title: Text }[];
  roles: { id: string; title: Text; kind: string; name?: string; fact?: string; not?: string[] }[];
  facts: { id: string; title: Text; type: string; values?: { value: string; title: Text }[]; ref?: string }[];
  flags: { id: string; title: Text }[];
  start: { by: string[]; form: string | null; to: string };
  schedule?: { every: string; at: string; from: string; calendar: string; workday: boolean; org: string };
  states: StateDef[]; clocks: ClockDef[]; forms: Record<string, FormSchema>; regulations: Record<string, RegulationOut>; retired_at?: number;
}

// ---- simulation
export interface ShareOut { met: number; of: number; p: number; low: number; high: number; used: number[] }
export interface LimitReport extends ShareOut {
  id: string; title: Text; task: boolean; limit: string; impossible: boolean; by: string; groups: Record<string, ShareOut>;
  used_p50: number; used_p95: number;
}
export interface PostReport {
  post: string; people: number; items: number; waited: number; wait_mean_ms: number; wait_p95_ms: number; late_by_wait: number;
  utilisation: number; overloaded: boolean; assumed: boolean;
}
export interface SimulationOut {
  procedure: string; version: number; title: Text; pass: boolean; runs: number; best_runs: number; exploring_runs: number; seed: number; threshold: number;
  reasons: Text[]; warnings: Text[]; limits: LimitReport[]; posts: PostReport[];
  dead_ends: { procedure: string; state: string; title: Text; why: Text; runs: number }[];
  states: { id: string; title: Text; final: boolean; runs: number }[];
  closed: number; unfinished: number;
  durations: { p5_ms: number; p50_ms: number; p80_ms: number; p95_ms: number; edges_ms: number[]; counts: number[] };
}

// ---- exchange
export interface PlaybookDraft {
  procedure: string; exact: boolean; files: { path: string; text: string }[];
  notes: { kind: "mapped" | "lost" | "check"; code: string; pointer: string; zh: string; en: string }[];
  signatures: { verified: boolean; id: string; signee: string; algorithm: string; key_sha256: string; zh: string; en: string }[];
  mistakes: { file: string; line: number; column: number; code: string; zh: string; en: string }[];
}

// ---- drills
export interface DrillRoleOut { what: string; title: Text; people: PersonRef[] }
export interface DrillInjectOut { n: number; at_ms: number; told: boolean; text: Text; to: string[]; facts: Record<string, unknown>; signal: string }
export interface DrillLineOut {
  id: string; kind: "clock" | "task" | "act"; title: Text; limit_ms: number; took_ms?: number; met: boolean;
  real_met: number; real_of: number; real_median_ms?: number; finding?: CaseRef; finding_state?: Text; finding_closed: boolean;
}
export interface DrillActOut { act: string; title: Text; within_ms: number; after: number }
export type DrillRating = "good" | "adequate" | "poor";
export type DrillGrade = "excellent" | "good" | "pass" | "fail";
export interface DrillObservationOut {
  n: number; at_ms: number; by: PersonRef; about: string; about_title: Text; rating: DrillRating; text: string;
  finding?: CaseRef; finding_state?: Text; finding_closed: boolean;
}
export interface DrillConclusionOut {
  at_ms: number; by: PersonRef; grade: DrillGrade; text: string; revise: boolean;
  finding?: CaseRef; finding_state?: Text; finding_closed: boolean;
}
export interface DrillOut {
  id: string; scenario: string; phase: "planned" | "running" | "ended" | "cancelled"; title: Text; goal: Text; plan_title: Text; plan: string;
  org: OrgRef; director: PersonRef; on_at: number; moved_from?: number; began_at?: number; ended_at?: number; ends_at?: number; percent?: number;
  reason?: string; case_ref?: CaseRef; why: string; compress: number; ends_ms: number; findings: number; findings_open: number;
  expected: number; unjudged: number;
  participants: DrillRoleOut[]; people: PersonRef[]; lines: DrillLineOut[]; injects: DrillInjectOut[]; injects_total: number;
  evaluators: PersonRef[]; expect: DrillActOut[]; observations: DrillObservationOut[]; conclusion?: DrillConclusionOut;
}
export interface DrillScenarioOut {
  id: string; version: number; title: Text; goal: Text; plan_title: Text; plan: string; participants: DrillRoleOut[];
  compress: number; ends_ms: number; injects: DrillInjectOut[]; expect: DrillActOut[];
}
export interface DrillCoverageOut {
  plan: string; state: "drilled" | "running" | "planned" | "broken-off" | "unplanned" | "no-scenario"; title: Text; version: number; ended: number;
  scenarios: string[]; last_at?: number; percent?: number; next_at?: number; last?: string; next?: string;
}
export interface DrillWritten { seq: number; id: string; case_ref?: CaseRef }

// ---- definitions, revisions, migrations
export type DefinitionKind = "procedures" | "forms";
export interface MistakeOut { file: string; line: number; column: number; code: string; text: Text }
export interface DocumentIn { kind: DefinitionKind; id: string; text?: string; retire?: boolean }
export interface SimulationOut { at: number; runs: number; seed: number; threshold: number; by: PersonRef; people: string; digest: string; pass: boolean }
export interface DefinitionOut {
  kind: DefinitionKind; id: string; origin: string; title: Text; version: number; version_next: number; from_at: number; shipped_version: number;
  running: number; retired_at?: number; used_by: string[]; open_revisions: string[];
}
export interface VersionOut {
  version: number; from_at: number; running: number; seq: number; retires: boolean; until_at?: number; digest: string; origin: string; why: string;
  revision?: string; title?: string; waiver?: string; written_by: PersonRef[]; reviewed_by?: PersonRef; approved_by?: PersonRef; simulation?: SimulationOut;
}
export interface HistoryOut { definition: DefinitionOut; versions: VersionOut[] }
export interface TextOut { kind: DefinitionKind; id: string; at: string; digest: string; text: string }
export interface CheckOut { documents: { kind: DefinitionKind; id: string; version_in_force: number; version_next: number }[]; mistakes: MistakeOut[]; warnings: MistakeOut[] }
export interface DiffRowOut { op: "same" | "changed" | "removed" | "added"; left: number; right: number; left_text: string; right_text: string; marks: number[] }
export interface PartOut { op: string; kind: string; id: string; title: Text; members: { name: string; before: string; after: string }[] }
export interface DiffOut { from: string; to: string; removed: number; added: number; coarse: boolean; cut: boolean; hunks: { rows: DiffRowOut[] }[]; parts?: PartOut[] }
export type RevisionPhase = "draft" | "in_review" | "reviewed" | "approved" | "effective" | "withdrawn";
export interface RevisionDocumentOut { kind: DefinitionKind; id: string; path: string; title: Text; base: number; base_digest: string; digest: string; retires: boolean }
export interface RevisionBrief {
  id: string; title: string; phase: RevisionPhase; documents: RevisionDocumentOut[]; authors: PersonRef[]; began_at: number; changed_at: number;
  saves: number; seq: number; effective_from?: number; effective_at?: number; next?: string;
}
export interface RevisionEventOut { seq: number; at: number; kind: string; title: Text; by: PersonRef; text?: string; path?: string; line?: number; save?: number }
export interface RevisionOut {
  revision: RevisionBrief; why: string; reviewer?: PersonRef; approver?: PersonRef; simulation?: SimulationOut; waiver?: string; halted?: string;
  saves: { n: number; at: number; seq: number; by: PersonRef; documents: RevisionDocumentOut[] }[]; events: RevisionEventOut[];
  steps: { step: string; can: boolean; why_not?: Text }[]; mistakes: MistakeOut[]; warnings: MistakeOut[];
}
export interface RevisionWritten { seq: number; id: string; phase: RevisionPhase }
export interface MigrationCaseOut {
  case_ref: CaseRef; org: string; state: string; to_state?: string; code?: string; what?: string; why?: Text; moves: boolean; due_at_once: boolean;
  opens: string[]; drops: string[]; unknown: string[]; limits: { name: string; old_budget_ms?: number; new_budget_ms?: number; old_due_at?: number; new_due_at?: number }[];
}
export interface MigrationPlanOut {
  procedure: string; from: number; to: number; cases: number; moves: number; stays: number; due_at_once: number;
  groups: { code: string; what: string; cases: number }[]; items: MigrationCaseOut[];
}
export interface MigrationOut {
  id: string; procedure: string; phase: "running" | "done" | "stopped"; from: number; to: number; began_at: number; seq: number; ended_at?: number; by: PersonRef;
  map: Record<string, Record<string, string>>; moved: number; stays: number; looked: number; cases: number; stayed: { case_ref: CaseRef; code: string; what: string }[];
}

// ---- alerts
export interface EntityOut { kind: string; value: string }
export interface AlertBrief {
  id: string; state: "open" | "taken" | "promoted" | "merged" | "dismissed"; level: string; rule: string; title: Text;
  entities: EntityOut[]; count: number; first_at: number; last_at: number; active: boolean; silenced: boolean;
  taken_by?: PersonRef; case_ref?: CaseRef; disposition?: string; org: string; source: string; seq: number;
}
export interface SampleOut { at_ms: number; source: string; line: string; fields: { name: string; value: string; matched: boolean }[] }
export interface AlertOut {
  brief: AlertBrief; description: Text; summary: string; reason: string; samples: SampleOut[];
  precision: { fired: number; promoted: number; merged: number; dismissed: number; per_mille?: number };
  similar: AlertBrief[]; suggested_procedure: string;
}
export interface PromoteOut { seq: number; case_ref: CaseRef }
export interface SilenceOut {
  id: string; org: string; rule: string; source: string; reason: string; owner: PersonRef; entities: EntityOut[];
  starts_at: number; expires_at: number; hits: number;
}
export interface SilenceMade { seq: number; id: string; covers_now: number; covered_last_week: number }
export interface LogSourceOut {
  id: string; kind: string; owner: string; org: string; port: number; in: number; out: number; refused: number; late: number;
  last_at?: number; silent_after_ms?: number; silent: boolean; reading: boolean;
}

// ---- ledger
export interface LedgerOut {
  origin: string; size: number; journal_size: number; root: string; checkpoint: string; key: string; witnesses: WitnessOut[]; trouble?: Text;
}
export interface WitnessOut { name: string; size: number; cosigned_at_ms: number; trouble?: Text }
export interface EntryRow {
  seq: number; at_ms: number; actor: PersonRef; kind: string; name: string; title: Text; case_ref?: CaseRef; hash: string;
}
export interface EntryOut { row: EntryRow; canonical: string; published: boolean }
export interface VerifyOut {
  ok: boolean; from: number; to: number; size: number; took_ms: number; place?: string; what?: Text;
}

// ---- people
export interface OrgOut { id: string; parent: string; kind: string; name: Text }
export interface Grant { role: string; org: string }
export interface PersonOut {
  id: string; org: string; staff_no: string; lang: string; name: string; login: string; email: string; phone: string;
  active: boolean; totp: boolean; must_change_password: boolean; grants: Grant[]; added_at: number; signed_in_at?: number;
}
export interface IssuedOut { seq: number; id: string; secret: string }
export interface PostOut {
  org: string; id: string; title: Text; holder?: PersonRef; deputies: PersonRef[]; acting: PersonRef[];
  acting_org: string; chief_of: string[]; absent_from?: number; absent_until?: number;
}
export interface TeamOut { org: string; id: string; title: Text; members: PersonRef[] }
export interface RoleOut { id: string; title: Text; allow: string[]; deny: string[]; builtin: boolean }
export interface PermissionOut { id: string; title: Text }
export interface TokenOut {
  id: string; org: string; label: string; made_by: PersonRef; scopes: string[];
  added_at: number; expires_at: number; used_at?: number; revoked: boolean;
}

// ---- notices
export interface NoticeOut {
  id: string; about: string; path: string; case_ref?: CaseRef; at_ms: number; seq: number; title: Text; body: Text;
  read: boolean; urgent: boolean; drill: boolean; acknowledged: boolean;
}
export interface OutboxOut {
  id: string; channel: string; state: string; org: string; error_code: string; recipient?: PersonRef; case_ref?: CaseRef;
  title: Text; error: Text; attempts: number; at_ms: number; next_at?: number; done_at?: number;
}

// ---- duty
export interface OnShift { person: PersonRef; why: "plan" | "swap" | "assigned" | "standby"; instead_of?: PersonRef }
export interface Unready { person: PersonRef; code: string; text: Text }
export interface ShiftOut {
  org: string; key: string; roster: string; day: string; layer: string; shift: string; holds: string;
  roster_title: Text; layer_title: Text; title: Text; from_at: number; to_at: number; need: number; missing: number;
  people: OnShift[]; standby: PersonRef[]; absent: Unready[]; problems: Unready[];
  provisional: boolean; now: boolean; mine: boolean; handover: "none" | "waiting" | "signed";
}
export interface ShiftRow { id: string; title: Text; days: (ShiftOut | null)[] }
export interface LayerGrid {
  id: string; holds: string; title: Text; holds_title: Text; need: number; on_call: boolean;
  qualifications: string[]; shifts: ShiftRow[];
}
export interface RosterGrid {
  org: string; id: string; zone: string; version: number; title: Text;
  rest_ms: number; week_max_ms: number; ready_before_ms: number; confirm_within_ms: number; layers: LayerGrid[];
}
export interface RosterGridOut {
  org: string; today: string; now_ms: number; may_manage: boolean; orgs: OrgRef[]; days: string[]; rosters: RosterGrid[];
}
export interface OnDuty { person: PersonRef; phone: string; confirmed_at?: number }
export interface DutyNow {
  org: string; roster: string; layer: string; holds: string; title: Text; holds_title: Text; shift: string;
  people: OnDuty[]; stand_in: boolean; wait_ms: number; missing: number; to_at?: number; next_at?: number; next: PersonRef[];
}
export interface Candidate { person: PersonRef; against: Unready[]; confirmed_at?: number }
export interface ShiftDetail { shift: ShiftOut; reach: OnDuty[]; next: ShiftOut[]; candidates: Candidate[] }
export interface SwapOut {
  id: string; state: "asked" | "consented" | "declined" | "approved" | "refused" | "withdrawn"; asker: PersonRef; partner: PersonRef;
  shift?: ShiftOut; in_return?: ShiftOut; asked_at: number; decided_by?: PersonRef;
  may_answer: boolean; may_decide: boolean; may_withdraw: boolean;
}
export interface LeaveOut {
  id: string; kind: "annual" | "sick" | "official" | "other"; state: "asked" | "approved" | "refused" | "withdrawn"; person: PersonRef;
  from_at: number; to_at: number; asked_at: number; decided_by?: PersonRef; may_decide: boolean;
}
export interface QualificationOut { person: PersonRef; id: string; until_at?: number }
export interface DutyItem { item: string; number: string; headline: string; title: Text; state: Text; closed: boolean }
export interface DutyStep { layer: string; title: Text; people: PersonRef[]; wait_ms: number }
export interface DutyCall {
  id: string; about: string; org: string; state: "calling" | "acknowledged" | "exhausted"; told: DutyStep[]; opened_at: number;
  next_at?: number; acknowledged_at?: number; acknowledged_by?: PersonRef; subject: DutyItem; mine: boolean;
}
export interface HandoverOut {
  shift: ShiftOut; items: DutyItem[]; text: string; outgoing?: PersonRef; incoming?: PersonRef; outgoing_at?: number; incoming_at?: number;
  seq: number; may_write: boolean; may_sign: boolean; next: PersonRef[]; open: DutyItem[];
}
export interface MyDuty {
  shifts: ShiftOut[]; swaps: SwapOut[]; leaves: LeaveOut[]; qualifications: QualificationOut[]; calls: DutyCall[];
  confirmed_at?: number; linked_at?: number;
}
export interface RosterTeam { people: string[]; standby?: string[] }
export interface RosterLayer { layer: string; teams: RosterTeam[] }
export interface RosterPlan {
  org: string; id: string; source: string; calendar: string; from_day: string; anchor_day: string; until_day?: string;
  version: number; title: Text; layers: RosterLayer[]; defined: DefinedLayer[]; people: PersonRef[]; may_manage: boolean;
}
export interface RosterTemplate { id: string; source: string; title: Text }
export interface DefinedLayer {
  id: string; holds: string; title: Text; need: number; steps: number; on_call: boolean; even: boolean;
  qualifications: string[]; shifts: { id: string; title: Text }[];
}
export interface RosterDefinition { id: string; calendar: string; version: number; title: Text; layers: DefinedLayer[] }
