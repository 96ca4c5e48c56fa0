#include "common.h"
#include "words.h"

// Alerts and what people decide about them; silences; sources, rules and signals.
namespace cw::api {
namespace {

using watch::Alert;
using watch::AlertAct;

struct SampleField {
  std::string name, value;
  bool matched = false;
};
BOOST_DESCRIBE_STRUCT(SampleField, (), (name, value, matched))
struct SampleOut {
  std::int64_t at_ms = 0;
  std::string source, line;
  std::vector<SampleField> fields;
};
BOOST_DESCRIBE_STRUCT(SampleOut, (), (at_ms, source, line, fields))
struct PrecisionOut {
  std::int64_t fired = 0, promoted = 0, merged = 0, dismissed = 0;
  std::optional<std::int64_t> per_mille;
};
BOOST_DESCRIBE_STRUCT(PrecisionOut, (), (fired, promoted, merged, dismissed, per_mille))
struct AlertOut {
  AlertBrief brief;
  Text description;
  std::string summary, reason;
  std::vector<SampleOut> samples;
  PrecisionOut precision;
  std::vector<AlertBrief> similar;
  std::string suggested_procedure;
};
BOOST_DESCRIBE_STRUCT(AlertOut, (),
                      (brief, description, summary, reason, samples, precision, similar,
                       suggested_procedure))

struct PromoteIn {
  std::string procedure;
  json::object form;
  std::optional<std::string> org;
};
BOOST_DESCRIBE_STRUCT(PromoteIn, (), (procedure, form, org))
struct PromoteOut {
  std::int64_t seq = 0;
  CaseRef case_ref;
};
BOOST_DESCRIBE_STRUCT(PromoteOut, (), (seq, case_ref))
struct MergeIn {
  std::string case_id;
};
BOOST_DESCRIBE_STRUCT(MergeIn, (), (case_id))
struct DismissIn {
  std::string disposition, reason;
};
BOOST_DESCRIBE_STRUCT(DismissIn, (), (disposition, reason))

struct SilenceOut {
  std::string id, org, rule, source, reason;
  PersonRef owner;
  std::vector<EntityOut> entities;
  std::int64_t starts_at = 0, expires_at = 0, hits = 0;
};
BOOST_DESCRIBE_STRUCT(SilenceOut, (),
                      (id, org, rule, source, reason, owner, entities, starts_at, expires_at, hits))
struct SilenceIn {
  std::string org, reason;
  std::optional<std::string> rule, source;
  std::optional<std::vector<EntityOut>> entities;
  std::int64_t expires_at = 0;
  std::optional<bool> preview;
};
BOOST_DESCRIBE_STRUCT(SilenceIn, (), (org, reason, rule, source, entities, expires_at, preview))
struct SilenceMade {
  std::int64_t seq = 0;
  std::string id;
  std::int64_t covers_now = 0, covered_last_week = 0;
};
BOOST_DESCRIBE_STRUCT(SilenceMade, (), (seq, id, covers_now, covered_last_week))

struct LogSourceOut {
  std::string id, kind, owner, org;
  std::int64_t port = 0, in = 0, out = 0, refused = 0, late = 0;
  std::optional<std::int64_t> last_at, silent_after_ms;
  bool silent = false, reading = true;
};
BOOST_DESCRIBE_STRUCT(LogSourceOut, (),
                      (id, kind, owner, org, port, in, out, refused, late, last_at, silent_after_ms,
                       silent, reading))
struct RuleOut {
  std::string id, status, level, path;
  Text title, reason;
  std::int64_t fired = 0;
  std::optional<std::int64_t> per_mille;
};
BOOST_DESCRIBE_STRUCT(RuleOut, (), (id, status, level, path, title, reason, fired, per_mille))
struct SignalOut {
  std::string alert, state;
};
BOOST_DESCRIBE_STRUCT(SignalOut, (), (alert, state))
struct SignalsOut {
  std::vector<SignalOut> alerts;
};
BOOST_DESCRIBE_STRUCT(SignalsOut, (), (alerts))

AlertAct act_of(const Call& call) {
  return {call.id(), call.who.actor, "permission:alert.triage", call.if_seq};
}

Result<Answer> decide(Call& call, Decide f) {
  if (auto may = may_alert(call, call.id(), Permission::alert_triage); !may)
    return std::move(may).problem();
  call.command.vital = true;
  return call.s.journal.run(call.command, std::move(f));
}

Result<Written> triage(Call& call, Decide f) {
  auto answer = decide(call, std::move(f));
  if (!answer) return std::move(answer).problem();
  return written(*answer);
}

template <auto verb>
Result<Written> triage_by(Call& call, Nothing&) {
  return triage(call, (call.s.alerts.*verb)(act_of(call)));
}

Result<Page<AlertBrief>> list_alerts(Call& call) {
  watch::AlertFilter filter;
  filter.org = call.orgs(Permission::alert_read);
  for (const auto& state : call.queries("state")) {
    if (state == "silenced") {
      filter.silenced = true;
      continue;
    }
    auto triage = watch::triage_from(state);
    if (!triage)
      return invalid("api.query", "/query/state",
                     {"没有这个状态：" + state, "There is no such state: " + state});
    filter.triage.push_back(*triage);
  }
  if (auto level = call.query("level");
      !level.empty() && !(filter.level_min = watch::level_from(level)))
    return invalid("api.query", "/query/level", {"没有这个严重度", "There is no such level"});
  filter.rule = call.query("rule");
  filter.source = call.query("source");
  filter.case_id = call.query("case");
  if (!filter.case_id.empty() && !may_case(call, filter.case_id, Permission::case_read))
    return Page<AlertBrief>{.total = 0};
  filter.owner = call.query("owner") == "me" ? call.who.actor : call.query("owner");
  if (auto active = call.query("active"); !active.empty()) filter.active = active == "true";
  auto limit = call.number("limit", 50, 1, 200);
  if (!limit) return std::move(limit).problem();
  filter.limit = static_cast<std::size_t>(*limit);
  filter.cursor = call.query("cursor");
  Result<watch::AlertPage> found = watch::AlertPage{};
  watch::AlertCounts counts;
  auto status = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    found = watch::AlertList::page(db, filter);
    counts = watch::AlertList::counts(db, filter.org);
  });
  if (!status) return std::move(status).problem();
  if (!found) return std::move(found).problem();
  auto page = page_of<AlertBrief>(found->alerts, found->next,
                                  [&](const Alert& a) { return alert_brief(call, a); });
  std::int64_t total = 0;
  for (const auto& [state, n] : counts.by_triage) {
    bool counted = filter.triage.empty();
    for (auto t : filter.triage) counted = counted || watch::to_string(t) == state;
    if (counted) total += n;
  }
  page.total = total;
  return page;
}

std::vector<SampleOut> samples_of(const std::vector<watch::Sample>& samples) {
  std::vector<SampleOut> out;
  for (const auto& sample : samples) {
    SampleOut one{sample.at_ms, sample.source, sample.line, {}};
    for (const auto& [name, value] : sample.fields) {
      bool matched =
          std::find(sample.matched.begin(), sample.matched.end(), name) != sample.matched.end();
      one.fields.push_back({name, value, matched});
    }
    out.push_back(std::move(one));
  }
  return out;
}

Result<AlertOut> one_alert(Call& call) {
  if (auto may = may_alert(call, call.id(), Permission::alert_read); !may)
    return std::move(may).problem();
  std::optional<Alert> found;
  AlertOut out;
  call.s.journal.read([&] {
    if (const auto* a = call.s.alerts.find(call.id())) found = *a;
  });
  std::vector<Alert> similar;
  auto status = call.s.views.read(call.s.journal.size(), [&](Database& db) {
    if (!found) found = watch::AlertList::find(db, call.id());
    if (!found) return;
    auto page = watch::AlertList::page(db, {.org = {found->org}, .rule = found->rule, .limit = 6});
    if (page) similar = std::move(page->alerts);
  });
  if (!status) return std::move(status).problem();
  if (!found) return no_such({"这条告警", "such an alert"});
  out.brief = alert_brief(call, *found);
  call.etag(found->seq);
  for (const auto& a : similar)
    if (a.id != found->id) out.similar.push_back(alert_brief(call, a));
  if (auto content = watch::AlertContent::parse(text_of(call.s, found->content))) {
    out.summary = content->summary;
    out.samples = samples_of(content->samples);
  }
  if (auto tally = call.s.watch.tally(found->id))
    for (auto& sample : samples_of(tally->last)) out.samples.push_back(std::move(sample));
  if (auto closing = watch::AlertContent::parse(text_of(call.s, found->closing))) {
    out.reason = closing->reason;
    for (auto& sample : samples_of(closing->samples)) out.samples.push_back(std::move(sample));
  }
  auto rules = call.s.watch.rules();
  if (const auto* rule = rules ? rules->find(found->rule) : nullptr)
    out.description = rule->description;
  call.s.journal.read([&] {
    auto record = call.s.alerts.rules().find(found->rule);
    if (record == call.s.alerts.rules().end()) return;
    std::int64_t dismissed = 0;
    for (const auto& [why, n] : record->second.dismissed) dismissed += static_cast<std::int64_t>(n);
    out.precision = {static_cast<std::int64_t>(record->second.fired),
                     static_cast<std::int64_t>(record->second.promoted),
                     static_cast<std::int64_t>(record->second.merged), dismissed, std::nullopt};
    if (auto p = record->second.precision_permille()) out.precision.per_mille = *p;
  });
  out.suggested_procedure =
      call.s.engine.library().procedure("plan.system-attack") ? "plan.system-attack" : "";
  return out;
}

Result<PromoteOut> promote(Call& call, PromoteIn& in) {
  if (auto may = may_alert(call, call.id(), Permission::alert_triage); !may)
    return std::move(may).problem();
  std::string org;
  call.s.journal.read([&] {
    if (const auto* a = call.s.alerts.find(call.id())) org = a->org;
  });
  if (in.org) org = *in.org;
  if (auto may = call.may(Permission::case_start, org); !may) return std::move(may).problem();
  auto start = call.s.engine.start({.procedure = in.procedure,
                                    .org = org,
                                    .actor = call.who.actor,
                                    .form = std::move(in.form),
                                    .origin = call.id()});
  if (!start) return std::move(start).problem();
  auto answer = decide(
      call, call.s.alerts.promote(
                act_of(call), [start = *start](Draft& draft, const Alert&) -> Result<std::string> {
                  auto made = start(draft);
                  if (!made) return std::move(made).problem();
                  return std::string(text_or(*made, "case"));
                }));
  if (!answer) return std::move(answer).problem();
  std::string id(text_or(answer->body, "case"));
  std::string number = call.s.journal.read([&] {
    auto view = call.s.engine.view(id, "");
    return view ? view->number : std::string();
  });
  return PromoteOut{written(*answer).seq, {id, number}};
}

Result<Written> merge(Call& call, MergeIn& in) {
  if (auto may = may_case(call, in.case_id, Permission::case_act); !may)
    return std::move(may).problem();
  return triage(
      call, call.s.alerts.merge(act_of(call), in.case_id,
                                [&s = call.s](const std::string& id, const Alert& alert) -> Status {
                                  auto view = s.engine.view(id, "");
                                  if (!view || view->closed || view->org != alert.org ||
                                      view->mode == CaseMode::drill)
                                    return invalid("alert.case", "/case_id",
                                                   {"须为同一机构未办结的真实案件",
                                                    "This must be an open, real case of the same "
                                                    "organisation"});
                                  return done();
                                }));
}

Result<Written> dismiss(Call& call, DismissIn& in) {
  auto disposition = watch::disposition_from(in.disposition);
  if (!disposition || *disposition == watch::Disposition::none)
    return invalid("alert.disposition", "/disposition",
                   {"须为 false-positive、expected、duplicate 或 harmless",
                    "This must be false-positive, expected, duplicate or harmless"});
  return triage(call, call.s.alerts.dismiss(act_of(call), *disposition, in.reason));
}

Result<Page<SilenceOut>> list_silences(Call& call) {
  std::vector<watch::Silence> all;
  Page<SilenceOut> page;
  call.s.journal.read([&] { all = call.s.alerts.silences(call.s.clock.now_ms()); });
  for (const auto& x : all) {
    if (!call.may(Permission::alert_read, x.org).ok()) continue;
    SilenceOut out{x.id, x.org, x.rule,      x.source,     "",
                   {},   {},    x.starts_ms, x.expires_ms, static_cast<std::int64_t>(x.hits)};
    if (auto content = watch::AlertContent::parse(text_of(call.s, x.content))) {
      out.reason = content->reason;
      for (const auto& [kind, value] : content->entities) out.entities.push_back({kind, value});
    }
    call.s.journal.read([&] { out.owner = person_ref(call.s, x.owner); });
    page.items.push_back(std::move(out));
  }
  return page;
}

Result<SilenceMade> silence(Call& call, SilenceIn& in) {
  if (auto may = call.may(Permission::alert_triage, in.org); !may) return std::move(may).problem();
  watch::Alerts::NewSilence wanted{call.who.actor,
                                   "permission:alert.triage",
                                   in.org,
                                   in.rule.value_or(""),
                                   in.source.value_or(""),
                                   {},
                                   in.reason,
                                   in.expires_at};
  for (const auto& e : in.entities.value_or(std::vector<EntityOut>{}))
    wanted.entities.emplace_back(e.kind, e.value);
  constexpr std::int64_t week_ms = 7ll * 86'400'000;
  std::int64_t now = call.s.clock.now_ms();
  auto preview =
      call.s.journal.read([&] { return call.s.alerts.preview(wanted, now - week_ms, now); });
  if (!preview) return std::move(preview).problem();
  SilenceMade out{0, "", static_cast<std::int64_t>(preview->active),
                  static_cast<std::int64_t>(preview->since)};
  if (in.preview.value_or(false)) return out;
  auto answer = call.s.journal.run(call.command, call.s.alerts.silence(std::move(wanted)));
  if (!answer) return std::move(answer).problem();
  out.seq = written(*answer).seq;
  out.id = text_or(answer->body, "silence");
  return out;
}

Result<Written> unsilence(Call& call) {
  std::string org;
  call.s.journal.read([&] {
    if (const auto* x = call.s.alerts.find_silence(call.id())) org = x->org;
  });
  if (org.empty() || !call.may(Permission::alert_triage, org).ok())
    return no_such({"这条静默", "such a silence"});
  auto answer = call.s.journal.run(
      call.command, call.s.alerts.unsilence(call.id(), call.who.actor, "permission:alert.triage"));
  if (!answer) return std::move(answer).problem();
  return written(*answer);
}

Result<Page<LogSourceOut>> list_sources(Call& call) {
  static constexpr const char* kinds[] = {"syslog-udp", "syslog-tcp", "file", "push"};
  Page<LogSourceOut> page;
  for (const auto& x : call.s.watch.stats().sources) {
    if (!call.may(Permission::alert_read, x.org).ok()) continue;
    LogSourceOut out{x.id,
                     kinds[static_cast<int>(x.kind)],
                     x.owner,
                     x.org,
                     x.port,
                     static_cast<std::int64_t>(x.received.in),
                     static_cast<std::int64_t>(x.decoded.out),
                     static_cast<std::int64_t>(x.received.refused),
                     static_cast<std::int64_t>(x.decoded.late),
                     std::nullopt,
                     std::nullopt,
                     x.silent,
                     x.reading};
    if (x.last_ms > 0) out.last_at = x.last_ms;
    if (x.silent_after_ms > 0) out.silent_after_ms = x.silent_after_ms;
    page.items.push_back(std::move(out));
  }
  return page;
}

Result<Page<RuleOut>> list_rules(Call& call) {
  static constexpr const char* outcomes[] = {"compiled", "degraded", "rejected"};
  auto rules = call.s.watch.rules();
  Page<RuleOut> page;
  for (const auto& r : rules->reports()) {
    RuleOut out{
        r.id,        outcomes[static_cast<int>(r.outcome)], "", r.path, {r.title, r.title}, {}, 0,
        std::nullopt};
    if (!r.reasons.empty()) out.reason = r.reasons[0].text;
    if (const auto* rule = rules->find(r.id)) {
      out.title = rule->title;
      out.level = std::string(detect::to_string(rule->level));
    }
    call.s.journal.read([&] {
      auto record = call.s.alerts.rules().find(r.id);
      if (record == call.s.alerts.rules().end()) return;
      out.fired = static_cast<std::int64_t>(record->second.fired);
      if (auto p = record->second.precision_permille()) out.per_mille = *p;
    });
    page.items.push_back(std::move(out));
  }
  return page;
}

// The token's label in the form of a rule's name: "signal.<name>".
Result<watch::SignalSender> sender_of(Call& call) {
  if (auto may = call.may(Permission::signals_write, call.who.org); !may)
    return std::move(may).problem();
  watch::SignalSender sender{"", call.who.org};
  std::string label = call.who.is_token() ? "" : "console";
  call.s.journal.read([&] {
    for (const auto& token : call.s.identity.tokens(call.who.org))
      if (token.id == call.who.actor) label = token.label;
  });
  for (char c : to_lower(label)) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      sender.name += c;
    else if (!sender.name.empty() && sender.name.back() != '-')
      sender.name += '-';
    if (sender.name.size() == 40) break;
  }
  while (!sender.name.empty() && sender.name.back() == '-') sender.name.pop_back();
  if (sender.name.empty()) sender.name = to_lower(call.who.actor).substr(4, 36);
  return sender;
}

Result<SignalsOut> signal(Call& call, json::object& body) {
  auto sender = sender_of(call);
  if (!sender) return std::move(sender).problem();
  auto answer = call.s.watch.signal(*sender, body);
  if (!answer) return std::move(answer).problem();
  return SignalsOut{{{answer->alert, answer->state}}};
}

Result<SignalsOut> alertmanager(Call& call, json::object& body) {
  auto sender = sender_of(call);
  if (!sender) return std::move(sender).problem();
  auto answers = call.s.watch.alertmanager(*sender, body);
  if (!answers) return std::move(answers).problem();
  SignalsOut out;
  for (const auto& a : *answers) out.alerts.push_back({a.alert, a.state});
  return out;
}

template <typename In, typename Out>
void on_alert(Table& t, const char* act, const char* summary, Result<Out> (*f)(Call&, In&)) {
  t.post<In, Out>(std::string("/alerts/{id}/") + act, {"alert.triage", summary}, f)
      .takes_if_match();
}

}  // namespace

void add_alerts(Table& t) {
  t.tag("alerts");
  t.get<Page<AlertBrief>>(
      "/alerts",
      {"alert.read",
       "Alerts, newest first",
       {{"state", "open, taken, promoted, merged, dismissed, silenced; several with commas"},
        {"level", "at least"},
        {"rule", ""},
        {"source", ""},
        {"case", ""},
        {"owner", "a person, or me"},
        {"active", "true or false"},
        {"org", ""},
        {"cursor", ""},
        {"limit", "1–200"}}},
      list_alerts);
  t.get<AlertOut>("/alerts/{id}", {"alert.read", "One alert with its samples"}, one_alert)
      .gives_etag();
  on_alert(t, "take", "Take it: it is mine now", triage_by<&watch::Alerts::take>);
  on_alert(t, "release", "Give it back", triage_by<&watch::Alerts::release>);
  on_alert(t, "reopen", "Take a dismissal back", triage_by<&watch::Alerts::reopen>);
  on_alert(t, "promote", "Make it a case, in one commit", promote);
  on_alert(t, "merge", "Add it to an open case", merge);
  on_alert(t, "dismiss", "Dismiss it with a reason", dismiss);
  t.get<Page<SilenceOut>>("/silences", {"alert.read", "Silences in force"}, list_silences);
  t.post<SilenceIn, SilenceMade>(
      "/silences", {"alert.triage", "Silence alerts for a time; preview: true only counts"},
      silence);
  t.remove<Written>("/silences/{id}", {"alert.triage", "Lift a silence"}, unsilence);
  t.tag("watch");
  t.get<Page<LogSourceOut>>("/sources", {"alert.read", "Log sources and what they count"},
                            list_sources);
  t.get<Page<RuleOut>>("/rules", {"alert.read", "Rules, how they compiled and how they do"},
                       list_rules);
  t.post<json::object, SignalsOut>("/signals",
                                   {"signals.write", "Report something a machine noticed"}, signal);
  t.post<json::object, SignalsOut>("/signals/alertmanager",
                                   {"signals.write", "Prometheus Alertmanager's webhook"},
                                   alertmanager);
}

}  // namespace cw::api
