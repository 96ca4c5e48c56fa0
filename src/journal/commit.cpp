// The committer thread: makes a batch durable, then answers its commands.
#include <cstdlib>

#include "base/log.h"
#include "impl.h"

namespace cw {
namespace {

// Memory is ahead of the disk and an fsync is never retried: the process ends, restarts, and
// replays what is durable. Nothing that was answered is lost.
[[noreturn]] void end_process(const char* why) {
  log_error("journal", "the commit failed, the process ends: {}", why);
  std::_Exit(70);
}

// A checkpoint syncs the database itself, and a commit's sync waits for it: another thread makes
// it, a megabyte at a time. Under a load without a pause that one never comes to the log's end,
// from where the log could begin anew: then, rarely, the committer moves what little is left.
constexpr std::size_t kLogStep = 250;    // pages of 4 KiB after which the next checkpoint is made
constexpr std::size_t kLogMax = 32'000;  // pages from which on the committer makes them

void checkpoint(Database& db) {
  try {
    db.checkpoint();
  } catch (const StorageError& error) {
    // On a full disk the log keeps what was committed, and the next attempt may succeed.
    if (error.kind() != StorageError::Kind::full) end_process(error.what());
  }
}

}  // namespace

void Journal::Impl::commit_loop() {
  for (;;) {
    {
      std::unique_lock lock(batch_mutex);
      batch_filled.wait(lock, [&] { return ripe || decided_all_of_it; });
      if (filling->decided.empty()) return;
      std::swap(filling, committing);
      ripe = false;
    }
    batch_taken.notify_one();
    if (!committing->entries.empty() || !committing->rows.empty()) commit();
    answer_all();
    keep_log_short();
    {
      std::lock_guard lock(batch_mutex);  // the writer may be looking into it
      std::swap(committing, spare);
    }
    spare->clear();
  }
}

// Everything as it will lie in the database, before its transaction begins.
void Journal::Impl::write_out() {
  blocks.clear();
  for (const Entry& entry : committing->entries) blocks.add(entry);
  for (const Decided& d : committing->decided)
    if (!d.look_up && d.answer.ok() && d.answer->count > 0 && !d.answer->body.empty())
      blocks.answer(d.answer->first, d.answer->body);
}

void Journal::Impl::commit() {
  write_out();
  for (bool retried = false;; retried = true) {
    try {
      db->begin();
      blocks.write(*db);
      for (const auto& write : committing->rows) write(*db);
      db->commit();
      break;
    } catch (const StorageError& error) {
      if (error.kind() == StorageError::Kind::full && !retried) {
        db->rollback();  // nothing was synced: to try once more, on the reserve, is safe
        reserve.give_up();
        continue;
      }
      end_process(error.what());
    } catch (const std::exception& error) {
      end_process(error.what());
    }
  }
  ++commits;
  {
    std::lock_guard lock(durable_mutex);
    durable = committing->end;
  }
  durable_changed.notify_all();
  for (const auto& listener : listeners) listener(durable);
}

void Journal::Impl::keep_log_short() {
  const std::size_t pages = db->log_pages();
  log_asked = std::min(log_asked, pages);  // it was begun anew
  if (pages - log_asked < kLogStep) return;
  log_asked = pages;
  if (pages >= kLogMax) return checkpoint(*db);
  {
    std::lock_guard lock(checkpoint_mutex);
    checkpoint_due = true;
  }
  checkpoint_asked.notify_one();
}

void Journal::Impl::checkpoint_loop() {
  Database own(options.path, {.full_sync = options.full_sync, .checkpoints = false});
  std::unique_lock lock(checkpoint_mutex);
  for (;;) {
    checkpoint_asked.wait(lock, [&] { return checkpoint_due || checkpoints_end; });
    if (checkpoints_end) return;
    checkpoint_due = false;
    lock.unlock();
    checkpoint(own);
    lock.lock();
  }
}

void Journal::Impl::answer_all() {
  for (auto& d : committing->decided) {
    if (d.look_up) d.answer = first_answer(d.answer->first);
    commands_refused += !d.answer.ok();
    d.done(std::move(d.answer));
  }
  commands_done += committing->decided.size();
}

Result<Answer> Journal::Impl::first_answer(std::uint64_t first) {
  Answer answer{.first = first, .repeated = true};
  std::string id;
  blocks::read(*db, first, [&](std::uint64_t seq, std::string_view bytes) {
    auto entry = Entry::parse(bytes);
    if (!entry || (seq != first && entry->command != id)) return false;
    id = entry->command;
    ++answer.count;
    return true;
  });
  auto body = parse_json(blocks::answer(*db, first), {.size_max = 8 << 20});
  if (body && body->is_object()) answer.body = std::move(body->get_object());
  return answer;
}

}  // namespace cw
