// What this module's tests share: a server on a free port, and raw bytes to throw at it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "client.h"
#include "http.h"

namespace cw::http {

inline Router small_router() {
  Router router;
  router.add("GET", "/ping", [](Request&) { return text_response(200, "pong"); });
  router.add("POST", "/echo", [](Request& r) { return text_response(200, r.body); },
             {.body_max = 64 * 1024, .access = "any"});
  router.add("GET", "/cases/{id}", [](Request& r) {
    return json_response(200, {{"id", r.param("id")}, {"lang", r.lang}});
  });
  router.add("DELETE", "/cases/{id}", [](Request&) { return empty_response(); });
  router.add("GET", "/fail",
             [](Request&) -> Response { throw std::runtime_error("the secret is 42"); });
  return router;
}

// A running server, with its clock and chance.
struct Running {
  explicit Running(ServerOptions options = {}, Router router = small_router())
      : server(std::move(options), std::move(router), clock, random) {
    auto started = server.start();
    if (!started) ADD_FAILURE() << started.problem().text.en;
  }
  Client client(ClientOptions options = {}) const {
    options.timeout_ms = std::min(options.timeout_ms, 5'000);
    return Client("127.0.0.1", server.port(), options);
  }
  // Sends bytes on a new connection and gives the answer's status; 0: closed without an answer.
  int status_of_raw(std::string_view bytes, ClientResponse* answer = nullptr) const {
    Client c("127.0.0.1", server.port(), {.timeout_ms = 5'000});
    if (!c.connect()) return -1;
    c.write(bytes);
    auto response = c.read_response();
    if (!response) return 0;
    if (answer) *answer = *response;
    return response->status;
  }
  bool alive() const {
    Client c("127.0.0.1", server.port(), {.timeout_ms = 5'000});
    auto answer = c.get("/ping");
    return answer && answer->status == 200 && answer->body == "pong";
  }

  SystemClock clock;
  SystemRandom random;
  Server server;
};

template <typename Condition>
bool eventually(Condition condition, int wait_ms = 3'000) {
  for (int i = 0; i < wait_ms / 5; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace cw::http
