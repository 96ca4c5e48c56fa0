// The commands on alerts: each returns a decide function that refuses before its first append.
#include "alert_apply.h"
#include "alerts.h"
#include "base/id.h"
#include "base/text.h"

namespace cw::watch {
namespace {

Problem no_alert() {
  return problem(Refusal::not_found, "alert.unknown",
                 {"没有这条告警。", "There is no such alert."});
}

Problem already(const Alert& a) {
  return problem(Refusal::conflict, "alert.closed",
                 {"这条告警已经处置(" + std::string(to_string(a.triage)) + "),没有做任何改动。",
                  "This alert has been dealt with (" + std::string(to_string(a.triage)) +
                      "); nothing was changed."});
}

Status check_reason(const std::string& reason, std::size_t points_max) {
  if (!is_utf8(reason) || trim(reason).empty()) {
    return invalid("alert.reason", "/reason", {"请写明理由。", "Give a reason."});
  }
  if (code_points(reason) > points_max) {
    std::string most = std::to_string(points_max);
    return invalid("alert.reason", "/reason",
                   {"理由最多 " + most + " 字。", "A reason has at most " + most + " characters."});
  }
  return done();
}

json::object answer(const Alert& a) { return {{"alert", a.id}}; }

}  // namespace

Result<Alert*> Alerts::acted(const AlertAct& act) {
  auto found = alerts_.find(act.alert);
  if (found == alerts_.end()) return no_alert();
  if (act.seen && *act.seen != found->second.seq) {
    return problem(Refusal::stale, "alert.stale",
                   {"这条告警刚被别人改动,请刷新后再试。",
                    "Someone changed this alert just now; reload it and try again."});
  }
  return &found->second;
}

Entry Alerts::entry(const AlertAct& act, std::string_view verb, const Alert& alert) const {
  return {.actor = act.actor,
          .basis = act.basis,
          .kind = "alert." + std::string(verb),
          .name = alert.rule,
          .body = {{"alert", alert.id}}};
}

// Freezes the evidence of the decision: the count so far is a fact, the last samples are sealed.
void Alerts::seal_closing(Draft& d, Entry& e, const Alert& alert, std::string reason) const {
  AlertContent content{.reason = std::move(reason)};
  auto [events, samples] = since(alert.id);
  if (events > 0) e.body["events"] = events;
  content.samples = std::move(samples);
  if (content.reason.empty() && content.samples.empty()) return;
  SealedContent sealed = sealed_.seal(alert.id, content.to_json());
  e.content = sealed.commitment;
  d.row(sealed.write, sealed.bytes);
}

Decide Alerts::fire(Firing f) {
  return [this, f = std::move(f)](Draft& d) -> Result<json::object> {
    const Alert* old = by_fingerprint(f.fingerprint);
    if (old && old->active) {
      return json::object{{"alert", old->id}, {"state", "folded"}, {"events", old->events}};
    }
    Alert now;  // as it would be, for the silences
    now.id = old && !old->closed() ? old->id : new_id("alt", d.now_ms(), d.random());
    now.rule = f.rule;
    now.source = f.source;
    now.org = f.org;
    for (const auto& [field, value] : f.content.entities) {
      now.entities.emplace_back(field, entity_hash(field, value));
    }
    const Silence* silence = covering(now, d.now_ms());
    if (silence) now.silence = silence->id;

    Entry e{.actor = f.actor, .name = f.rule, .body = {{"alert", now.id}, {"events", f.events}}};
    if (!now.silence.empty()) e.body["silence"] = now.silence;
    if (old && !old->closed()) {
      e.kind = "alert.refired";
      std::int64_t events = old->events + f.events;
      e.body["events"] = events;
      d.append(std::move(e));
      return json::object{{"alert", now.id}, {"state", "active-again"}, {"events", events}};
    }
    e.kind = "alert.fired";
    e.body["fingerprint"] = f.fingerprint;
    e.body["entities"] = entities_to_json(now.entities);
    e.body["first"] = f.first_ms;
    e.body["level"] = detect::to_string(f.level);
    e.body["org"] = f.org;
    e.body["source"] = f.source;
    if (f.warning != Warning::none) e.body["warning"] = detect::to_string(f.warning);
    if (f.overflow) e.body["overflow"] = true;
    SealedContent sealed = sealed_.seal(now.id, f.content.to_json());
    e.content = sealed.commitment;
    d.row(sealed.write, sealed.bytes);
    d.append(std::move(e));
    return json::object{{"alert", now.id}, {"state", "fired"}, {"events", f.events}};
  };
}

Decide Alerts::take(AlertAct act) {
  return [this, act = std::move(act)](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted(act);
    if (!a) return a.problem();
    if ((*a)->closed()) return already(**a);
    if ((*a)->owner != act.actor) d.append(entry(act, "taken", **a));
    return answer(**a);
  };
}

Decide Alerts::release(AlertAct act) {
  return [this, act = std::move(act)](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted(act);
    if (!a) return a.problem();
    if ((*a)->closed()) return already(**a);
    if ((*a)->triage == Triage::taken) d.append(entry(act, "released", **a));
    return answer(**a);
  };
}

Decide Alerts::promote(AlertAct act, MakeCase make) {
  return [this, act = std::move(act), make = std::move(make)](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted(act);
    if (!a) return a.problem();
    if ((*a)->closed()) return already(**a);
    Result<std::string> made = make(d, **a);
    if (!made) return made.problem();
    Entry e = entry(act, "promoted", **a);
    e.case_id = *made;
    seal_closing(d, e, **a, "");
    d.append(std::move(e));
    return json::object{{"alert", act.alert}, {"case", *made}};
  };
}

Decide Alerts::merge(AlertAct act, std::string case_id, CheckCase check) {
  return [this, act = std::move(act), case_id = std::move(case_id),
          check = std::move(check)](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted(act);
    if (!a) return a.problem();
    if ((*a)->closed()) return already(**a);
    if (Status ok = check(case_id, **a); !ok) return ok.problem();
    Entry e = entry(act, "merged", **a);
    e.case_id = case_id;
    seal_closing(d, e, **a, "");
    d.append(std::move(e));
    return json::object{{"alert", act.alert}, {"case", case_id}};
  };
}

Decide Alerts::dismiss(AlertAct act, Disposition disposition, std::string reason) {
  return [this, act = std::move(act), disposition,
          reason = std::move(reason)](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted(act);
    if (!a) return a.problem();
    if ((*a)->closed()) return already(**a);
    if (disposition == Disposition::none) {
      return invalid("alert.disposition", "/disposition",
                     {"请选择处置结论:误报、预期内、重复或无害。",
                      "Choose false-positive, expected, duplicate or harmless."});
    }
    if (Status ok = check_reason(reason, limits_.reason_max); !ok) return ok.problem();
    Entry e = entry(act, "dismissed", **a);
    e.body["disposition"] = to_string(disposition);
    seal_closing(d, e, **a, reason);
    d.append(std::move(e));
    return answer(**a);
  };
}

Decide Alerts::reopen(AlertAct act) {
  return [this, act = std::move(act)](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted(act);
    if (!a) return a.problem();
    if ((*a)->triage != Triage::dismissed) {
      return problem(Refusal::conflict, "alert.not-dismissed",
                     {"只有已忽略的告警可以恢复。", "Only a dismissed alert can be reopened."});
    }
    d.append(entry(act, "reopened", **a));
    return answer(**a);
  };
}

Decide Alerts::level(AlertAct act, Level level) {
  return [this, act = std::move(act), level](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted(act);
    if (!a) return a.problem();
    if ((*a)->level == level) return answer(**a);
    Entry e = entry(act, "level", **a);
    e.body["level"] = detect::to_string(level);
    if (level > (*a)->level && (*a)->triage == Triage::dismissed) e.body["reopened"] = true;
    d.append(std::move(e));
    return answer(**a);
  };
}

Decide Alerts::warning(AlertAct act, Warning warning) {
  return [this, act = std::move(act), warning](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted(act);
    if (!a) return a.problem();
    if ((*a)->warning == warning) return answer(**a);
    Entry e = entry(act, "warning", **a);
    e.body["warning"] = detect::to_string(warning);
    d.append(std::move(e));
    return answer(**a);
  };
}

Decide Alerts::quiet(std::string alert) {
  return [this, alert = std::move(alert)](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted({.alert = alert});
    if (!a) return a.problem();
    if (!(*a)->active) return answer(**a);
    Entry e = entry({.alert = alert, .actor = "clock"}, "quieted", **a);
    if (std::int64_t events = since(alert).first; events > 0) e.body["events"] = events;
    d.append(std::move(e));
    return answer(**a);
  };
}

Decide Alerts::audible(std::string alert) {
  return [this, alert = std::move(alert)](Draft& d) -> Result<json::object> {
    Result<Alert*> a = acted({.alert = alert});
    if (!a) return a.problem();
    bool over =
        (*a)->active && !(*a)->closed() && !(*a)->silence.empty() && !covering(**a, d.now_ms());
    if (over) d.append(entry({.alert = alert, .actor = "clock"}, "refired", **a));
    return answer(**a);
  };
}

// ---- silences
// ------------------------------------------------------------------------------------

Result<Silence> Alerts::draft_silence(const NewSilence& wanted, std::int64_t now_ms) const {
  if (wanted.rule.empty() && wanted.source.empty() && wanted.entities.empty()) {
    return invalid("silence.all", "/rule",
                   {"静默必须限定规则、来源或实体,不能静默一切。",
                    "A silence must name a rule, a source or an entity; it cannot cover all."});
  }
  if (wanted.expires_ms <= now_ms || wanted.expires_ms > now_ms + limits_.silence_max_ms) {
    std::string days = std::to_string(limits_.silence_max_ms / 86'400'000);
    return invalid("silence.expires", "/expires_at",
                   {"必须写明到期时间,最长 " + days + " 天。",
                    "Give an expiry, at most " + days + " days ahead."});
  }
  if (wanted.entities.size() > 16) {
    return invalid("silence.entities", "/entities", {"最多 16 个实体。", "At most 16 entities."});
  }
  Silence s{.org = wanted.org,
            .owner = wanted.actor,
            .rule = wanted.rule,
            .source = wanted.source,
            .starts_ms = now_ms,
            .expires_ms = wanted.expires_ms};
  for (const auto& [field, value] : wanted.entities) {
    if (field.empty() || value.empty()) {
      return invalid("silence.entities", "/entities",
                     {"实体的字段和值都不能为空。", "An entity needs a field and a value."});
    }
    s.entities.emplace_back(field, entity_hash(field, value));
  }
  return s;
}

Decide Alerts::silence(NewSilence wanted) {
  return [this, wanted = std::move(wanted)](Draft& d) -> Result<json::object> {
    Result<Silence> s = draft_silence(wanted, d.now_ms());
    if (!s) return s.problem();
    if (Status ok = check_reason(wanted.reason, limits_.reason_max); !ok) return ok.problem();
    if (silences(d.now_ms()).size() >= limits_.silences_max) {
      return problem(
          Refusal::conflict, "silence.many",
          {"生效中的静默太多,请先解除一些。", "Too many silences are in force; lift some first."});
    }
    s->id = new_id("sil", d.now_ms(), d.random());
    AlertContent content{.reason = wanted.reason, .entities = wanted.entities};
    SealedContent sealed = sealed_.seal(s->id, content.to_json());
    Entry e{.actor = wanted.actor,
            .basis = wanted.basis,
            .kind = "alert.silenced",
            .name = wanted.rule,
            .body = {{"silence", s->id}, {"org", s->org}, {"expires", s->expires_ms}},
            .content = sealed.commitment};
    if (!s->rule.empty()) e.body["rule"] = s->rule;
    if (!s->source.empty()) e.body["source"] = s->source;
    if (!s->entities.empty()) e.body["entities"] = entities_to_json(s->entities);
    d.row(sealed.write, sealed.bytes);
    d.append(std::move(e));
    return json::object{{"silence", s->id}};
  };
}

Decide Alerts::unsilence(std::string silence, std::string actor, std::string basis) {
  return [=, this](Draft& d) -> Result<json::object> {
    const Silence* s = find_silence(silence);
    if (!s) {
      return problem(Refusal::not_found, "silence.unknown",
                     {"没有这条静默。", "There is no such silence."});
    }
    if (s->ended_ms == 0) {
      d.append({.actor = actor,
                .basis = basis,
                .kind = "alert.unsilenced",
                .name = s->rule,
                .body = {{"silence", silence}}});
    }
    return json::object{{"silence", silence}};
  };
}

Result<Alerts::Preview> Alerts::preview(const NewSilence& wanted, std::int64_t since_ms,
                                        std::int64_t now_ms) const {
  Result<Silence> s = draft_silence(wanted, now_ms);
  if (!s) return s.problem();
  Preview out;
  for (const auto& [id, alert] : alerts_) {
    if (!s->covers(alert, now_ms)) continue;
    if (alert.active) {
      ++out.active;
      if (out.alerts.size() < 100) out.alerts.push_back(id);
    }
    if (alert.fired_ms >= since_ms) ++out.since;
  }
  return out;
}

}  // namespace cw::watch
