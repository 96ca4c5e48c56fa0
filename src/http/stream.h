// An event stream between the threads that send and the connection that writes.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "http.h"

namespace cw::http {

// Shared by the sender's handle and the connection. Thread-safe.
class StreamState {
 public:
  explicit StreamState(std::size_t size_max) : size_max_(size_max) {}

  bool send(const Event& event);
  void finish();  // no more events; what is queued is still written
  bool open() const;

  // The connection's side. `wake` is called (from any thread) when there is something to take.
  void attach(std::function<void()> wake);
  void detach();  // the client is gone
  struct Taken {
    std::string bytes;
    bool last = false;
  };
  Taken take();

 private:
  void wake_locked(std::function<void()>& call);

  const std::size_t size_max_;
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::string queued_;
  bool woken_ = false, finished_ = false, gone_ = false;
};

// The handle given to the sender; its end ends the stream.
class StreamHandle final : public EventStream {
 public:
  explicit StreamHandle(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}
  ~StreamHandle() override { state_->finish(); }
  bool send(const Event& event) override { return state_->send(event); }
  bool open() const override { return state_->open(); }
  void close() override { state_->finish(); }

 private:
  const std::shared_ptr<StreamState> state_;
};

}  // namespace cw::http
