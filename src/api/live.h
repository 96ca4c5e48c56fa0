// Live updates: follows the journal and tells every open console what changed where it may look.
// Thread-safe. Events carry ids and facts only; the console fetches what it shows.
#pragma once

#include <memory>

#include "endpoint.h"

namespace cw::api {

class Live {
 public:
  explicit Live(Services& services);
  ~Live();
  // Joins a stream; `last_id` is the last entry number the client has seen, or "".
  void join(const Principal& who, std::shared_ptr<http::EventStream> stream,
            std::string_view last_id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cw::api
