#include "stream.h"

#include "answer.h"

namespace cw::http {

// Wakes the connection once for everything queued until it takes.
void StreamState::wake_locked(std::function<void()>& call) {
  if (woken_ || !wake_) return;
  woken_ = true;
  call = wake_;
}

bool StreamState::send(const Event& event) {
  const std::string text = event_text(event);
  std::function<void()> call;
  bool sent = false;
  {
    std::lock_guard lock(mutex_);
    if (gone_ || finished_) return false;
    if (queued_.size() + text.size() > size_max_) {
      finished_ = true;
    } else {
      queued_ += text;
      sent = true;
    }
    wake_locked(call);
  }
  if (call) call();
  return sent;
}

void StreamState::finish() {
  std::function<void()> call;
  {
    std::lock_guard lock(mutex_);
    if (gone_ || finished_) return;
    finished_ = true;
    wake_locked(call);
  }
  if (call) call();
}

bool StreamState::open() const {
  std::lock_guard lock(mutex_);
  return !gone_ && !finished_;
}

void StreamState::attach(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void StreamState::detach() {
  std::lock_guard lock(mutex_);
  gone_ = true;
  wake_ = nullptr;
  queued_.clear();
  queued_.shrink_to_fit();
}

StreamState::Taken StreamState::take() {
  std::lock_guard lock(mutex_);
  woken_ = false;
  return {std::exchange(queued_, {}), finished_};
}

}  // namespace cw::http
