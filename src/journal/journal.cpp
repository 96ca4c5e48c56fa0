#include "journal.h"

#include <future>
#include <shared_mutex>

#include "base/id.h"
#include "base/log.h"
#include "impl.h"
#include "refusals.h"

namespace cw {

Journal::Journal(JournalOptions options, Clock& clock, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), clock, random)) {}

Journal::~Journal() { close(); }

void Journal::attach(State& state) {
  CW_CHECK(!impl_->db);
  CW_CHECK(impl_->states.emplace(state.prefix(), &state).second);
  impl_->state_list.push_back(&state);
}

void Journal::open() {
  CW_CHECK(!impl_->db);
  impl_->open();
  impl_->snapshotter = start_thread("journal-snap", [this] { impl_->snapshot_loop(); });
  if (size() == 0) {
    auto made = run({.id = "journal-created"}, [this](Draft& draft) -> Result<json::object> {
      draft.append({.actor = "system",
                    .kind = "journal.created",
                    .body = {{"format", 1}, {"origin", impl_->options.origin}}});
      return json::object{};
    });
    if (!made) throw StorageError(StorageError::Kind::full, made.problem().text.en);
  }
}

void Journal::submit(Command command, Decide decide, std::function<void(Result<Answer>)> done) {
  if (command.id.empty()) {
    command.id = new_id("cmd", impl_->clock.now_ms(), impl_->random);
  } else if (!is_command_id(command.id)) {
    done(invalid(
        "journal.command-id", "/command",
        {"命令编号须为 8–64 个字母、数字或 _-:.", "A command id is 8–64 letters, digits or _-:."}));
    return;
  }
  Waiting waiting{std::move(command), std::move(decide), std::move(done)};
  if (waiting.command.vital) {
    if (!impl_->queue.push(std::move(waiting))) waiting.done(closed_problem());
    return;
  }
  if (impl_->queue.closed()) {
    waiting.done(closed_problem());
  } else if (!impl_->queue.try_push(std::move(waiting))) {
    waiting.done(busy_problem());
  }
}

Result<Answer> Journal::run(Command command, Decide decide) {
  CW_CHECK(std::this_thread::get_id() != impl_->writer.get_id());
  CW_CHECK(std::this_thread::get_id() != impl_->committer.get_id());
  std::promise<Result<Answer>> promise;
  auto future = promise.get_future();
  submit(std::move(command), std::move(decide),
         [&promise](Result<Answer> answer) { promise.set_value(std::move(answer)); });
  return future.get();
}

std::uint64_t Journal::size() const { return impl_->durable; }

bool Journal::wait_for(std::uint64_t size, std::chrono::milliseconds wait) const {
  return impl_->wait_durable(size, wait);
}

std::vector<std::string> Journal::entries(std::uint64_t from, std::size_t count) const {
  std::vector<std::string> out;
  std::uint64_t end = size();  // a reader must not see what the last sync may still lose
  if (from >= end) return out;
  count = std::min<std::size_t>(count, end - from);
  impl_->readers.with([&](Database& db) {
    blocks::read(db, from, [&](std::uint64_t, std::string_view bytes) {
      out.emplace_back(bytes);
      return out.size() < count;
    });
  });
  return out;
}

void Journal::on_commit(std::function<void(std::uint64_t)> listener) {
  CW_CHECK(!impl_->db);
  impl_->listeners.push_back(std::move(listener));
}

void Journal::snapshot() { impl_->save_snapshot(); }

void Journal::close() {
  if (impl_->queue.closed()) return;
  impl_->queue.close();
  if (impl_->writer.joinable()) impl_->writer.join();
  if (impl_->committer.joinable()) impl_->committer.join();
  {
    std::lock_guard lock(impl_->checkpoint_mutex);
    impl_->checkpoints_end = true;
  }
  impl_->checkpoint_asked.notify_all();
  if (impl_->checkpointer.joinable()) impl_->checkpointer.join();
  {
    std::lock_guard lock(impl_->durable_mutex);
    impl_->stopping = true;
  }
  impl_->durable_changed.notify_all();
  if (impl_->snapshotter.joinable()) impl_->snapshotter.join();
  if (impl_->db && impl_->durable - impl_->snapshot_at > impl_->options.snapshot_every / 10)
    impl_->save_snapshot();
}

Journal::Stats Journal::stats() const {
  return {impl_->commits, impl_->commands_done, impl_->commands_refused, impl_->queue.size(),
          impl_->reserve.full()};
}

const std::string& Journal::path() const { return impl_->options.path; }

Journal::ReadGuard::ReadGuard(const Journal& journal) : journal_(journal) {
  if (t_state_held++ > 0) return;  // already inside: on the writer thread, or in an outer read
  journal_.impl_->state_lock.lock_shared();
  seen_ = journal_.impl_->applied;
}

Journal::ReadGuard::~ReadGuard() {
  if (--t_state_held > 0) return;
  journal_.impl_->state_lock.unlock_shared();
  journal_.impl_->wait_durable(seen_, std::chrono::seconds(30));
}

// ---- snapshots

void Journal::Impl::snapshot_loop() {
  std::unique_lock lock(durable_mutex);
  while (!stopping) {
    durable_changed.wait_for(lock, std::chrono::seconds(1));
    if (stopping || durable - snapshot_at < options.snapshot_every) continue;
    lock.unlock();
    save_snapshot();
    lock.lock();
  }
}

void Journal::Impl::save_snapshot() {
  std::lock_guard one(snapshot_mutex);
  std::uint64_t at = durable;
  try {
    snapshots.save(
        state_list,
        [this](const State& state, std::size_t i, std::uint64_t included) {
          std::optional<Snapshots::Part> out;
          std::shared_lock lock(state_lock);
          if (state.slice_changed(i) < included)
            out = {applied, std::nullopt};
          else if (auto bytes = state.save_slice(i))
            out = {applied, std::move(bytes)};
          return out;
        },
        [this](std::uint64_t size) { return wait_durable(size, std::chrono::seconds(10)); });
    snapshot_at = at;
  } catch (const std::exception& e) {
    log_warn("journal", "no snapshot was written: {}", e.what());
    snapshot_at = at;  // try again after the next stretch, not in a loop
  }
}

bool Journal::Impl::wait_durable(std::uint64_t size, std::chrono::milliseconds wait) {
  if (durable >= size) return true;
  std::unique_lock lock(durable_mutex);
  return durable_changed.wait_for(lock, wait, [&] { return durable >= size; });
}

}  // namespace cw
