// A journal, sealed contents, alerts and a watch over a folder that goes away. Test code only.
//
//   Centre c({push_source("pbx")}, rules);  c.watch->push("pbx", line);  c.watch->drain();
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "watch.h"

namespace cw::watch {

inline const std::int64_t kStart = *from_rfc3339("2026-11-22T04:00:00Z");

struct TempFolder {
  std::string path;
  TempFolder() {
    std::string name = std::filesystem::temp_directory_path().string() + "/watch_test_XXXXXX";
    CW_CHECK(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
};

inline SourceConfig push_source(std::string id) {
  return {.id = std::move(id),
          .kind = SourceConfig::Kind::push,
          .org = "org_a",
          .owner = "it",
          .utc_offset_min = 0};
}

// Eight failures of one address in five minutes; two single rules, one of them alerting.
inline std::shared_ptr<const detect::RuleSet> test_rules() {
  static const auto rules = detect::RuleSet::load({{"t.yml", R"(
title: refused
name: refused
logsource: {product: asterisk}
detection: {s: {event.outcome: failure}, condition: s}
level: informational
---
title: brute
name: brute
correlation:
  type: event_count
  rules: [refused]
  group-by: [source.address]
  timespan: 5m
  condition: {gte: 8}
level: high
callwarden: {entities: [source.address]}
---
title: export
name: export
logsource: {category: application}
detection: {s: {event.action: export}, condition: s}
level: medium
callwarden: {entities: [account]}
)"}});
  return rules;
}

struct Centre {
  TempFolder folder;
  ManualClock clock{kStart};
  SeededRandom random{7};
  std::unique_ptr<Sealed> sealed;
  std::unique_ptr<Alerts> alerts;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Watch> watch;
  WatchOptions options;
  std::shared_ptr<const detect::RuleSet> rules;

  explicit Centre(std::vector<SourceConfig> sources,
                  std::shared_ptr<const detect::RuleSet> r = test_rules(), WatchLimits limits = {},
                  bool threads = false)
      : rules(std::move(r)) {
    options = {.folder = folder.path + "/watch",
               .sources = std::move(sources),
               .limits = limits,
               .threads = threads};
    open();
  }
  ~Centre() { close(); }

  void open() {
    std::string path = folder.path + "/journal.db";
    SecretBytes key = SecretBytes::copy(std::string(32, 'k'));
    sealed = std::make_unique<Sealed>(path, SecretBytes::copy(std::string(32, 'r')), random);
    alerts = std::make_unique<Alerts>(std::move(key), *sealed);
    journal = std::make_unique<Journal>(
        JournalOptions{
            .path = path, .origin = "test", .full_sync = false, .schemas = {Sealed::schema()}},
        clock, random);
    journal->attach(*alerts);
    journal->open();
    watch = std::make_unique<Watch>(options, clock, random, *journal, *alerts, rules);
    Status s = watch->start();
    if (!s) ADD_FAILURE() << s.problem().text.en;
  }
  void close() {
    watch.reset();
    if (journal) journal->close();
    journal.reset();
    alerts.reset();
    sealed.reset();
  }
  void restart() {
    close();
    open();
  }

  std::vector<Alert> all() {
    return journal->read([&] {
      std::vector<Alert> out;
      alerts->each([&](const Alert& a) { out.push_back(a); });
      return out;
    });
  }
  Alert get(const std::string& id) {
    return journal->read([&] { return *alerts->find(id); });
  }
  AlertContent content(const std::string& commitment) {
    Result<std::string> text = sealed->open(commitment);
    return text ? *AlertContent::parse(*text) : AlertContent{};
  }
  std::vector<Entry> entries(std::string_view kind) {
    std::vector<Entry> out;
    for (const std::string& e : journal->entries(0, journal->size())) {
      Entry parsed = *Entry::parse(e);
      if (parsed.kind == kind) out.push_back(std::move(parsed));
    }
    return out;
  }
  // Lines of a failing logon from `address`, one each second from now on.
  std::string attack(const std::string& address, int lines, const std::string& account = "301") {
    std::string out;
    for (int i = 0; i < lines; ++i) {
      std::string at = to_rfc3339(clock.now_ms() + i * 1000).substr(0, 19);
      at[10] = ' ';
      out += "[" + at + "] NOTICE[1638] chan_sip.c: Registration from '<sip:" + account +
             "@example.com>' failed for '" + address + "' - Wrong password\n";
    }
    return out;
  }
  void push(const std::string& lines, std::string_view source = "pbx") {
    auto pushed = watch->push(source, lines);
    ASSERT_TRUE(pushed.ok()) << pushed.problem().text.en;
    watch->drain();
  }
};

}  // namespace cw::watch
