#include <gtest/gtest.h>

#include <filesystem>

#include "api_testing.h"
#include "commands.h"
#include "config.h"

// The witness over HTTP, and a server that asks it (C2SP tlog-witness).
namespace cw {
namespace {

class WitnessServer : public ::testing::Test {
 protected:
  WitnessServer() {
    char name[] = "/tmp/cw-witness-XXXXXX";
    folder_ = ::mkdtemp(name);
    open_witness();
  }
  ~WitnessServer() override {
    in_.reset();
    http_.reset();
    witness_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open_witness() {
    http_.reset();
    witness_.reset();
    witness_ = std::move(*Witness::open(
        folder_ + "/witness", {"w.example", SigningKey::from_seed(std::string(32, 'w'))}, clock_));
  }
  void listen(bool tls = false, std::uint16_t port = 0) {
    http::ServerOptions options{.port = port};
    if (tls)
      options.tls = http::TlsOptions{.certificate_file = folder_ + "/witness/tls.crt",
                                     .key_file = folder_ + "/witness/tls.key"};
    http_ = std::make_unique<http::Server>(witness_limits(options, clock_),
                                           witness_router(*witness_), clock_, random_);
    auto started = http_->start();
    ASSERT_TRUE(started.ok()) << started.problem().text.en;
  }
  void open_server(const std::string& url, const std::string& ca_file = "") {
    in_.reset();
    InstallationOptions options = options_for_tests(folder_ + "/data");
    options.witnesses = {{url, witness_->verifier(), ca_file}};
    in_ = std::make_unique<Installation>(options, clock_, random_);
    auto opened = in_->open();
    ASSERT_TRUE(opened.ok()) << opened.problem().text.en;
    ASSERT_TRUE(witness_->know(*VerifierKey::parse(in_->ledger().verifier_key())));
  }
  std::string url(const char* scheme = "http") {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(http_->port()) + "/";
  }
  bool cosigned() {
    auto log = open_log(in_->ledger_folder());
    return bool(verify_log(
        **log, {.key = in_->ledger().verifier_key(), .witnesses = {witness_->verifier().text()}}));
  }
  http::ClientResponse post(const std::string& body, const std::string& path = "/add-checkpoint") {
    http::Client client("127.0.0.1", http_->port());
    auto answer = client.request("POST", path, {}, body);
    return answer ? std::move(*answer) : http::ClientResponse{};
  }
  std::string origin() { return VerifierKey::parse(in_->ledger().verifier_key())->name; }

  std::string folder_;
  ManualClock clock_{1'795'305'600'000};
  SystemRandom random_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<Installation> in_;
};

TEST_F(WitnessServer, TheServersCheckpointsArePublishedCosigned) {
  listen();
  open_server(url());
  in_->advance();
  EXPECT_TRUE(cosigned());
  std::string first = in_->ledger().checkpoint();
  ASSERT_TRUE(Centre::make(*in_, "a long password 1").ok());
  in_->advance();
  EXPECT_TRUE(cosigned());
  EXPECT_NE(in_->ledger().checkpoint(), first);
  // The witness restarts, on the same port, and goes on where it was.
  std::uint16_t port = http_->port();
  open_witness();
  listen(false, port);
  open_server(url());
  in_->advance();
  EXPECT_TRUE(cosigned());
}

TEST_F(WitnessServer, OverTlsWithTheCertificateOfTheWitness) {
  listen(true);
  open_server(url("https"));
  in_->advance();
  EXPECT_FALSE(cosigned()) << "a certificate that nobody vouches for";
  ASSERT_EQ(in_->ledger().witnesses().size(), 1u);
  EXPECT_EQ(in_->ledger().witnesses()[0].trouble->code, "ledger.unreachable");
  open_server(url("https"), folder_ + "/witness/tls.crt");
  in_->advance();
  EXPECT_TRUE(cosigned());
}

TEST_F(WitnessServer, AnswersOnTheWireAsTheProtocolSays) {
  listen();
  open_server(url());
  in_->advance();
  std::string note = in_->ledger().checkpoint();
  std::string size = std::to_string(in_->ledger().size());
  http::ClientResponse stale = post("old 0\n\n" + note);
  EXPECT_EQ(stale.status, 409);
  EXPECT_EQ(stale.headers.get_or("Content-Type"), "text/x.tlog.size");
  EXPECT_EQ(stale.body, size + "\n");
  http::ClientResponse again = post("old " + size + "\n\n" + note);
  EXPECT_EQ(again.status, 200);
  EXPECT_TRUE(again.body.starts_with("— w.example ") && again.body.ends_with("\n")) << again.body;
  EXPECT_EQ(post("old " + size + "\n\n" + "somewhere.else" + note.substr(note.find('\n'))).status,
            404);
  EXPECT_EQ(post("old 99999999\n\n" + note).status, 400);
  EXPECT_EQ(post(std::string("\0\xff\r\n", 4)).status, 400);
  EXPECT_EQ(post("").status, 400);
  EXPECT_EQ(post(std::string(witness_request_max + 1, 'x')).status, 413);
  EXPECT_EQ(post("x", "/").status, 404);
  http::Client client("127.0.0.1", http_->port());
  EXPECT_EQ(client.get("/add-checkpoint")->status, 405);
  EXPECT_NE(witness_->checkpoint_of(origin()), "") << "and it remembers what it cosigned";
}

TEST_F(WitnessServer, AStrangerWhoAsksTooOftenIsToldToWait) {
  listen();
  http::Client client("127.0.0.1", http_->port());
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    auto answer = client.request("POST", "/add-checkpoint", {}, "old 0\n\n");
    ASSERT_TRUE(answer.ok());
    EXPECT_TRUE(answer->status == 400 || answer->status == 429) << answer->status;
    if (answer->status != 429) continue;
    ++refused;
    EXPECT_TRUE(answer->headers.has("Retry-After"));
  }
  EXPECT_EQ(refused, 20) << "the clock stands still: 40 at once and no more";
}

TEST_F(WitnessServer, TheConfigurationNamesWhatIsWrongWithAWitness) {
  auto pointer = [](const std::string& file) -> std::string {
    ServeConfig config;
    auto status = read_config(parse_json(file)->get_object(), config);
    return status ? "" : status.problem().fields.at(0).pointer;
  };
  std::string key = witness_->verifier().text();
  NoteSigner log{"l.example", SigningKey::from_seed(std::string(32, 'l'))};
  auto one = [](const std::string& url, const std::string& of) {
    return R"({"witnesses":[{"url":")" + url + R"(","key":")" + of + R"("}]})";
  };
  EXPECT_EQ(pointer(one("https://w.example/", key)), "");
  EXPECT_EQ(pointer(one("ftp://w.example/", key)), "/witnesses/0/url");
  EXPECT_EQ(pointer(one("https://w.example/", "nonsense")), "/witnesses/0/key");
  EXPECT_EQ(pointer(one("https://w.example/", log.verifier().text())), "/witnesses/0/key");
  EXPECT_EQ(pointer(R"({"witnesses":[{"uri":"https://w.example/"}]})"), "/witnesses/0/uri");
  EXPECT_EQ(pointer(R"({"witnesses":["https://w.example/"]})"), "/witnesses/0");
  std::string many = R"({"witnesses":[0)";
  for (int i = 0; i < 16; ++i) many += ",0";
  EXPECT_EQ(pointer(many + "]}"), "/witnesses");
}

}  // namespace
}  // namespace cw
