// One request and its answer: from the guarded header to the bytes to write.
#include <boost/asio/post.hpp>

#include <algorithm>

#include "answer.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "connection.h"
#include "internal.h"

namespace cw::http {

namespace {

bool host_is_ours(const std::vector<std::string>& hosts, std::string_view host) {
  if (hosts.empty()) return true;
  if (host.empty()) return false;
  std::string_view name = host;
  if (name.front() == '[') {
    name = name.substr(1, name.find(']') - 1);
  } else {
    name = name.substr(0, name.find(':'));
  }
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const std::string& ours) { return equals_ignore_case(ours, name); });
}

Problem busy_problem(const char* zh, const char* en) {
  Problem p = problem(Refusal::unavailable, "http.busy", {zh, en});
  p.retry_after_s = 1;
  return p;
}

Response internal_error(const Request& request) {
  return problem_response(
      request,
      problem(Refusal::unavailable, "http.internal",
              {"服务器内部错误，已记录。请求是否生效请先查询再重试；联系管理员时请提供请求编号。",
               "An internal error, which has been logged. Look whether the request took effect "
               "before you try again; give the administrator the request id."}),
      500);
}

Response allow_response(const Request& request, const std::string& allow) {
  if (request.method == "OPTIONS") {
    Response r = empty_response();
    r.headers.set("Allow", allow);
    return r;
  }
  Response r = problem_response(
      request,
      problem(Refusal::malformed, "http.method",
              {"此地址不支持 " + request.method + "。可用方法：" + allow + "。",
               "This address does not support " + request.method + ". Use one of: " + allow + "."}),
      405);
  r.headers.set("Allow", allow);
  return r;
}

}  // namespace

Request Connection::stub() const {
  Request r;
  r.id = id_;
  r.lang = lang_;
  return r;
}

void Connection::read_header() {
  if (phase_ == Phase::idle) enter(Phase::header, core_->options.header_ms);
  std::size_t used = 0;
  switch (head_reader_->read(in_, used)) {
    case Step::more:
      return read(&Connection::on_read);
    case Step::refused:
      lang_ = head_reader_->head().request.lang;
      ++core_->refused_wire;
      return refuse(head_reader_->refusal());
    case Step::done:
      break;
  }
  in_.erase(0, used);
  head_ = std::move(head_reader_->head());
  on_header();
}

// The nearest proxy's own fields count only when the peer is one we were told of. Each proxy adds
// at the end (to the line, or a line of its own), so the last address that is not ours is the
// client.
void Connection::apply_proxy(Request& request) {
  const auto& trusted = core_->options.trusted_proxies;
  auto is_trusted = [&](std::string_view a) {
    return std::find(trusted.begin(), trusted.end(), a) != trusted.end();
  };
  if (!is_trusted(peer_)) return;
  std::string hops;
  for (const auto& [name, value] : request.headers.all()) {
    if (equals_ignore_case(name, "X-Forwarded-For")) hops += "," + value;
    if (equals_ignore_case(name, "X-Forwarded-Proto")) {
      request.tls = equals_ignore_case(value, "https");
    }
  }
  auto list = split(hops, ',');
  for (auto hop = list.rbegin(); hop != list.rend(); ++hop) {
    Error error;
    const auto address = boost::asio::ip::make_address(std::string(trim(*hop)), error);
    if (error) break;
    request.peer = address.to_string();
    if (!is_trusted(request.peer)) break;
  }
}

void Connection::on_header() {
  Request& r = head_.request;
  ++requests_;
  ++core_->requests;
  r.at_ms = core_->clock.now_ms();
  r.id = new_id("req", r.at_ms, core_->random);
  r.peer = peer_;
  r.tls = tls_.has_value();
  apply_proxy(r);
  id_ = r.id;
  lang_ = r.lang;
  tls_seen_ = r.tls;
  head_only_ = r.method == "HEAD";
  keep_alive_ = head_.keep_alive;
  const bool has_body = head_.chunked || head_.content_length > 0;
  std::optional<Response> early;
  try {
    early = route();
  } catch (const std::exception& e) {
    log_error("http", "gate failed request={} what={:?}", id_, e.what());
    early = internal_error(r);
  }
  if (early) {
    if (has_body) keep_alive_ = false;  // the body was not read, so nothing after it can be
    return respond(std::move(*early), nullptr);
  }
  if (has_body) return begin_body();
  dispatch();
}

// The answer that needs no handler, if any; else the request knows its route.
std::optional<Response> Connection::route() {
  Request& r = head_.request;
  if (!host_is_ours(core_->options.hosts, r.headers.get_or("Host"))) {
    return problem_response(r,
                            problem(Refusal::malformed, "http.host",
                                    {"主机名不属于本服务。请使用管理员公布的网址。",
                                     "The host name is not one of this server's."}),
                            421);
  }
  if (r.path == "*") return allow_response(r, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
  Router::Match match = core_->router.match(r.method, r.segments);
  if (!match.route && !match.allow.empty()) return allow_response(r, match.allow);
  if (!match.route) {
    return problem_response(r,
                            problem(Refusal::not_found, "http.not-found",
                                    {"没有这个地址。请检查网址。", "There is no such address."}));
  }
  r.route = match.route;
  r.params = std::move(match.params);
  if (core_->options.gate) return core_->options.gate(r);
  return std::nullopt;
}

void Connection::begin_body() {
  const std::size_t body_max = head_.request.route->options.body_max;
  const std::size_t expected =
      head_.chunked ? body_max : std::min<std::uint64_t>(head_.content_length, body_max);
  body_reader_.emplace(head_, body_max);
  enter(Phase::body, core_->options.body_ms + slow_line_ms(expected));
  std::size_t used = 0;
  if (body_reader_->read({}, used, head_.request.body) == Step::refused) {
    return refuse(body_reader_->refusal());
  }
  head_.request.body.reserve(std::min<std::size_t>(expected, 16 * 1024));
  if (!head_.expect_continue || !in_.empty()) return read_body();
  out_header_ = "HTTP/1.1 100 Continue\r\n\r\n";
  out_body_.clear();
  write_out(&Connection::on_continue_written);
}

void Connection::on_continue_written(const Error& error, std::size_t) {
  if (phase_ == Phase::closed) return;
  if (error || timed_out_) return close();
  read(&Connection::on_read);
}

void Connection::read_body() {
  std::size_t used = 0;
  const Step step = body_reader_->read(in_, used, head_.request.body);
  in_.erase(0, used);
  if (step == Step::refused) {
    ++core_->refused_wire;
    return refuse(body_reader_->refusal());
  }
  if (!charge_body()) {
    return refuse_busy("正在接收的内容过多，请稍后重试。未保存任何内容。",
                       "Too many bodies are being received; try again later. Nothing was saved.");
  }
  if (step == Step::more) return read(&Connection::on_read);
  dispatch();
}

bool Connection::charge_body() {
  const std::size_t held = head_.request.body.capacity();
  core_->body_bytes += held - charged_;
  charged_ = held;
  return core_->body_bytes <= core_->options.bodies_bytes_max;
}

void Connection::release_body() {
  core_->body_bytes -= charged_;
  charged_ = 0;
}

void Connection::dispatch() {
  phase_ = Phase::handling;
  if (core_->queue.try_push({shared_from_this(), std::move(head_.request)})) return;
  ++core_->refused_busy;
  respond(problem_response(stub(), busy_problem("服务器繁忙，请稍后重试。未保存任何内容。",
                                                "The server is busy; try again shortly. Nothing "
                                                "was saved.")),
          nullptr);
}

void Connection::refuse(const Refused& why) {
  keep_alive_ = false;
  in_.clear();
  if (id_.empty()) id_ = new_id("req", core_->clock.now_ms(), core_->random);
  respond(problem_response(stub(), why.problem, why.status), nullptr);
}

void Connection::refuse_busy(const char* zh, const char* en) {
  ++core_->refused_busy;
  refuse({503, busy_problem(zh, en)});
}

void Connection::respond_later(Response response, std::shared_ptr<StreamState> stream) {
  if (stream) {
    // Weak twice: a sender that outlives the server must not keep the connection alive.
    stream->attach([weak = weak_from_this(), core = std::weak_ptr<Core>(core_)] {
      if (auto alive = core.lock()) {
        boost::asio::post(alive->io, [weak] {
          if (auto self = weak.lock()) self->flush_stream();
        });
      }
    });
  }
  boost::asio::post(core_->io, [self = shared_from_this(), stream = std::move(stream),
                                r = std::move(response)]() mutable {
    self->respond(std::move(r), std::move(stream));
  });
}

void Connection::respond(Response response, std::shared_ptr<StreamState> stream) {
  if (stream) {
    drop_stream();
    stream_ = std::move(stream);
  }
  if (phase_ == Phase::closed) return drop_stream();
  release_body();
  head_.request = Request{};
  if (core_->stopping || stream_) keep_alive_ = false;
  AnswerContext context{.request_id = id_,
                        .content_security_policy = core_->options.content_security_policy,
                        .now_ms = core_->clock.now_ms(),
                        .tls = tls_seen_,
                        .keep_alive = keep_alive_,
                        .stream = stream_ != nullptr};
  auto header = answer_header(response, context);
  if (!header) {
    log_error("http", "an answer holds a header that cannot be sent request={}", id_);
    drop_stream();
    context.stream = false;
    response = internal_error(stub());
    header = answer_header(response, context);
  }
  out_header_ = std::move(*header);
  const bool no_body = head_only_ || answer_has_no_body(response.status) || stream_;
  out_body_ = no_body ? std::string() : std::move(response.body);
  enter(Phase::writing, core_->options.write_ms + slow_line_ms(out_body_.size()));
  write_out(&Connection::on_written);
}

namespace {

// Reserves one of the stream places, or says there is none.
bool take_stream_place(Core& core) {
  if (++core.streams <= core.options.streams_max) return true;
  --core.streams;
  return false;
}

void open_stream(Core& core, Job& job, Response response) {
  if (job.request.method == "HEAD") {
    response.headers.set("Content-Type", "text/event-stream");
    return job.connection->respond_later(std::move(response), nullptr);
  }
  if (!take_stream_place(core)) {
    ++core.refused_busy;
    return job.connection->respond_later(
        problem_response(job.request, busy_problem("实时更新的连接数已满，请稍后重试。",
                                                   "Too many live connections; try again "
                                                   "shortly.")),
        nullptr);
  }
  auto state = std::make_shared<StreamState>(core.options.event_buffer_max);
  auto handle = std::make_shared<StreamHandle>(state);
  auto opened = std::move(response.events);
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("X-Accel-Buffering", "no");  // a proxy must pass each event on at once
  response.body.clear();
  job.connection->respond_later(std::move(response), std::move(state));
  try {
    opened(std::move(handle));
  } catch (const std::exception& e) {  // the stream ends; its answer has already begun
    log_error("http", "stream failed route={} request={} what={:?}", job.request.route->pattern,
              job.request.id, e.what());
  }
}

}  // namespace

void run_job(Core& core, Job job) {
  try {
    Response response = job.request.route->handler(job.request);
    if (response.events) return open_stream(core, job, std::move(response));
    job.connection->respond_later(std::move(response), nullptr);
  } catch (const std::exception& e) {
    log_error("http", "handler failed route={} request={} what={:?}", job.request.route->pattern,
              job.request.id, e.what());
    job.connection->respond_later(internal_error(job.request), nullptr);
  } catch (...) {
    log_error("http", "handler failed route={} request={}", job.request.route->pattern,
              job.request.id);
    job.connection->respond_later(internal_error(job.request), nullptr);
  }
}

}  // namespace cw::http
