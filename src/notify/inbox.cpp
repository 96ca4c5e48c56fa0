// Reading: the inbox, the outbox, dead letters; and what people do with them.
#include <algorithm>

#include "base/text.h"
#include "impl.h"

namespace cw {
namespace {

constexpr std::size_t kPageMax = 200;
constexpr std::size_t kReadMax = 500;

Message parsed_facts(std::string_view text) {
  auto facts = parse_json(text);
  return facts && facts->is_object() ? message_from(facts->get_object()) : Message{};
}

InboxItem inbox_item(const Row& r, const NotifyOptions& options) {
  Message m = parsed_facts(r.text(4));
  InboxItem item;
  item.id = std::string(r.text(0));
  item.at_ms = r.integer(1);
  item.read = !r.null(2);
  item.acknowledged = !r.null(3);
  item.about = m.about;
  item.case_id = m.case_id;
  item.number = m.number;
  item.path = m.path;
  item.urgent = m.urgent;
  item.drill = m.drill;
  item.seq = m.seq;
  if (is_known_about(m.about)) {
    Sentence s = sentence_of(m, options);
    item.title = s.title;
    item.body = s.body;
  }
  return item;
}

const std::string kOutboxColumns =
    "SELECT o.id, o.message, o.channel, o.recipient, o.state, o.attempts, o.at, o.next_at, "
    "coalesce(o.done_at,0), "
    "coalesce(o.error,''), m.facts FROM notify_outbox o JOIN notify_message m ON m.id=o.message ";

OutboxItem outbox_row(const Row& r, const NotifyOptions& options) {
  OutboxItem item;
  item.id = std::string(r.text(0));
  item.message = std::string(r.text(1));
  item.channel = std::string(r.text(2));
  item.recipient = std::string(r.text(3));
  item.state = std::string(r.text(4));
  item.attempts = static_cast<unsigned>(r.integer(5));
  item.at_ms = r.integer(6);
  item.next_ms = r.integer(7);
  item.done_ms = r.integer(8);
  item.error_code = std::string(r.text(9));
  item.error = error_text(item.error_code);
  Message m = parsed_facts(r.text(10));
  item.org = m.org;
  item.case_id = m.case_id;
  item.number = m.number;
  if (is_known_about(m.about)) item.title = sentence_of(m, options).title;
  return item;
}

Problem no_message() {
  return problem(Refusal::not_found, "notify.no-message",
                 {"没有这条消息", "There is no such message"});
}

Entry act_on_outbox(const Principal& who, std::string basis, const char* verb,
                    const OutboxItem& item) {
  Entry e;
  e.actor = who.actor;
  e.basis = std::move(basis);
  e.kind = std::string("notify.") + verb;
  e.case_id = item.case_id;
  e.body = {{"message", item.id}, {"channel", item.channel}};
  return e;
}

}  // namespace

// Message ids sort by time, so the id of the last one shown is the cursor.
Page<InboxItem> Notify::inbox(std::string_view person, const InboxQuery& query) {
  Page<InboxItem> page;
  std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kPageMax);
  std::string before = query.cursor.empty() ? "~" : query.cursor;
  std::string sql =
      "SELECT i.message, i.at, i.read_at, i.ack_at, m.facts FROM notify_inbox i "
      "JOIN notify_message m ON m.id=i.message WHERE i.person=$1 AND i.message<$2 ";
  if (query.unread) sql += "AND i.read_at IS NULL ";
  sql += "ORDER BY i.message DESC LIMIT $3";
  impl_->read([&](Database& db) {
    db.query(
        sql,
        [&](const Row& r) {
          if (page.items.size() < limit) {
            page.items.push_back(inbox_item(r, impl_->options));
          } else {
            page.next = page.items.back().id;
          }
        },
        person, before, limit + 1);
  });
  page.total = unread(person);
  return page;
}

std::size_t Notify::unread(std::string_view person) {
  std::size_t n = 0;
  impl_->read([&](Database& db) {
    db.query(
        "SELECT count(*) FROM notify_inbox WHERE person=$1 AND read_at IS NULL",
        [&](const Row& r) { n = static_cast<std::size_t>(r.integer(0)); }, person);
  });
  return n;
}

// Not an entry: that something was shown on a screen is no institutional fact; acknowledging is.
Status Notify::mark_read(std::string_view person, const std::vector<std::string>& ids) {
  if (ids.size() > kReadMax) {
    return invalid("notify.too-many", "/ids", {"一次最多 500 条", "At most 500 at a time"});
  }
  auto answer = impl_->parts.journal.run({}, [&](Draft& d) -> Result<json::object> {
    d.row([who = std::string(person), ids, now = d.now_ms()](Database& db) {
      if (ids.empty())
        db.run("UPDATE notify_inbox SET read_at=$2 WHERE person=$1 AND read_at IS NULL", who, now);
      for (const auto& id : ids) {
        db.run(
            "UPDATE notify_inbox SET read_at=$3 WHERE person=$1 AND message=$2 AND read_at IS NULL",
            who, id, now);
      }
    });
    return json::object{};
  });
  if (!answer) return answer.problem();
  return done();
}

Result<Answer> Notify::acknowledge(const Principal& who, Command command,
                                   std::string_view message) {
  bool found = false, before = false;
  Message m;
  impl_->read([&](Database& db) {
    db.query(
        "SELECT i.ack_at, m.facts FROM notify_inbox i JOIN notify_message m ON m.id=i.message "
        "WHERE i.person=$1 AND i.message=$2",
        [&](const Row& r) {
          found = true;
          before = !r.null(0);
          m = parsed_facts(r.text(1));
        },
        who.person, message);
  });
  if (!found) return no_message();
  if (before) return Answer{};
  return impl_->parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    Entry e;
    e.actor = who.actor;
    e.basis = "recipient";
    e.kind = "notify.acknowledged";
    e.name = m.about;
    e.case_id = m.case_id;
    e.body = {{"message", std::string(message)}, {"cause", m.seq}};
    d.append(std::move(e));
    d.row([person = who.person, id = std::string(message), now = d.now_ms()](Database& db) {
      db.run(
          "UPDATE notify_inbox SET ack_at=$3, read_at=coalesce(read_at,$3) WHERE person=$1 AND "
          "message=$2",
          person, id, now);
    });
    return json::object{};
  });
}

Page<OutboxItem> Notify::outbox(const Principal& who, const OutboxQuery& query) {
  auto orgs = impl_->parts.journal.read(
      [&] { return impl_->parts.identity.orgs_where(who, Permission::outbox_manage); });
  Page<OutboxItem> page;
  std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kPageMax);
  std::string before = query.cursor.empty() ? "~" : query.cursor;
  impl_->read([&](Database& db) {
    while (page.next.empty()) {  // rows of other organisations are passed over
      std::size_t rows = 0;
      db.query(
          kOutboxColumns + "WHERE o.state=$1 AND o.id<$2 ORDER BY o.id DESC LIMIT $3",
          [&](const Row& r) {
            ++rows;
            OutboxItem item = outbox_row(r, impl_->options);
            before = item.id;
            if (!page.next.empty() || !std::binary_search(orgs.begin(), orgs.end(), item.org))
              return;
            if (page.items.size() == limit) {
              page.next = page.items.back().id;
            } else {
              page.items.push_back(std::move(item));
            }
          },
          query.state, before, kPageMax);
      if (rows < kPageMax) break;
    }
  });
  page.total = page.items.size();
  return page;
}

std::optional<OutboxItem> Notify::Impl::outbox_item(std::string_view id) {
  std::optional<OutboxItem> item;
  read([&](Database& db) {
    db.query(
        kOutboxColumns + "WHERE o.id=$1", [&](const Row& r) { item = outbox_row(r, options); }, id);
  });
  return item;
}

namespace {

using Apply = std::function<void(Draft&, const OutboxItem&, const std::string& basis)>;

// Only what is dead now and within the actor's reach; guessing an id tells nothing.
Result<Answer> change_dead(Notify::Impl& s, const Principal& who, Command command,
                           std::string_view id, const Apply& apply) {
  auto item = s.outbox_item(id);
  if (!item) return no_message();
  auto reach = s.parts.journal.read(
      [&] { return s.parts.identity.may(who, Permission::outbox_manage, item->org); });
  if (!reach) return no_message();
  if (item->state != "dead") {
    return problem(Refusal::conflict, "notify.not-dead",
                   {"只有未送达的消息才能重发或作废",
                    "Only a message that could not be delivered is retried or dismissed"});
  }
  return s.parts.journal.run(std::move(command), [&](Draft& d) -> Result<json::object> {
    auto basis = s.parts.identity.may(who, Permission::outbox_manage, item->org);
    if (!basis) return basis.problem();
    apply(d, *item, *basis);
    return json::object{};
  });
}

}  // namespace

Result<Answer> Notify::retry(const Principal& who, Command command, std::string_view id) {
  return change_dead(*impl_, who, std::move(command), id,
                     [&](Draft& d, const OutboxItem& item, const std::string& basis) {
                       d.append(act_on_outbox(who, basis, "retried", item));
                       d.row([&s = *impl_, id = item.id, now = d.now_ms()](Database& db) {
                         s.queued = true;
                         db.run(
                             "UPDATE notify_outbox SET state='pending', attempts=0, "
                             "generation=generation+1, next_at=$2, done_at=NULL "
                             "WHERE id=$1 AND state='dead'",
                             id, now);
                       });
                     });
}

Result<Answer> Notify::dismiss(const Principal& who, Command command, std::string_view id) {
  return change_dead(
      *impl_, who, std::move(command), id,
      [&](Draft& d, const OutboxItem& item, const std::string& basis) {
        d.append(act_on_outbox(who, basis, "dismissed", item));
        d.row([id = item.id, now = d.now_ms()](Database& db) {
          db.run(
              "UPDATE notify_outbox SET state='dismissed', done_at=$2 WHERE id=$1 AND state='dead'",
              id, now);
        });
      });
}

}  // namespace cw
