#include "cli.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "ledger_testing.h"

namespace cw {
namespace {

namespace fs = std::filesystem;

// Answers GET with the files of a folder and POST /add-checkpoint with a witness, on 127.0.0.1.
class SmallServer {
 public:
  SmallServer(std::string folder, Witness* witness)
      : folder_(std::move(folder)), witness_(witness) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~SmallServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    for (int c; (c = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(c)) {
      std::string request;
      char block[65536];
      auto complete = [&] {
        std::size_t end = request.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        std::size_t length = request.find("Content-Length: ");
        std::size_t body =
            length == std::string::npos ? 0 : std::stoul(request.substr(length + 16));
        return request.size() >= end + 4 + body;
      };
      while (!complete()) {
        ssize_t n = ::read(c, block, sizeof block);
        if (n <= 0) break;
        request.append(block, static_cast<std::size_t>(n));
      }
      std::string answer = answer_to(request);
      std::string_view rest = answer;
      while (!rest.empty()) {
        ssize_t n = ::send(c, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (n <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(n));
      }
    }
  }

  std::string answer_to(const std::string& request) {
    std::size_t start = request.find(' ') + 1;
    std::string path = request.substr(start, request.find(' ', start) - start);
    WitnessReply reply{404, "text/plain", ""};
    if (request.starts_with("POST") && witness_ != nullptr) {
      reply = witness_->add_checkpoint(request.substr(request.find("\r\n\r\n") + 4));
    } else if (fs::is_regular_file(folder_ + path)) {
      reply = {200, "application/octet-stream", read_file(folder_ + path)};
    }
    return "HTTP/1.1 " + std::to_string(reply.status) +
           " X\r\nContent-Type: " + reply.content_type +
           "\r\nConnection: close\r\nContent-Length: " + std::to_string(reply.body.size()) +
           "\r\n\r\n" + reply.body;
  }

  std::string folder_;
  Witness* witness_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

class LedgerCli : public testing::Test {
 protected:
  void SetUp() override {
    source.grow(600);
    ledger = std::move(*open_ledger(folder, source));
    ASSERT_TRUE(ledger->advance());
    vkey = ledger->verifier_key();
  }
  int run(std::vector<std::string> words) {
    words.insert(words.begin(), "ledger");
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int code = ledger_main(int(argv.size()), argv.data());
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return code;
  }
  void flip(const std::string& path, std::size_t at) {
    std::string bytes = read_file(log() + "/" + path);
    bytes.at(at) ^= 1;
    write_file(log() + "/" + path, bytes);
  }
  std::string log() const { return folder / "log"; }

  TemporaryFolder folder;
  MemorySource source{0};
  std::unique_ptr<Ledger> ledger;
  std::string vkey, out, err;
};

TEST_F(LedgerCli, VerifyPassesAndNamesDamageInBothLanguages) {
  EXPECT_EQ(run({"verify", log(), "--key", vkey, "--lang", "en"}), 0);
  EXPECT_NE(out.find("verified: log ledger.example/center of 600 entries"), std::string::npos)
      << out;
  EXPECT_EQ(run({"verify", log(), "--lang", "zh"}), 0);
  EXPECT_NE(err.find("公钥取自账本自身"), std::string::npos) << err;
  flip("tile/entries/001", 20);
  EXPECT_EQ(run({"verify", log(), "--key", vkey, "--lang", "zh"}), 1);
  EXPECT_NE(err.find("第 256 号条目"), std::string::npos) << err;
  EXPECT_EQ(run({"verify", log(), "--key", vkey, "--json"}), 1);
  json::value v = *parse_json(out);
  EXPECT_EQ(v.at("place"), "/entries/256");
  EXPECT_EQ(v.at("ok"), false);
  EXPECT_EQ(run({"verify", log(), "--key", vkey, "--from", "0", "--to", "256", "--json"}), 0);
  EXPECT_EQ(parse_json(out)->at("to"), 256);
}

TEST_F(LedgerCli, ExitCodesTellWrongUseFromAnUnreadableLog) {
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(run({"verify"}), 2);
  EXPECT_EQ(run({"verify", log(), "--frm", "3"}), 2);
  EXPECT_EQ(run({"verify", log(), "--from", "x"}), 2);
  EXPECT_EQ(run({"verify", log(), "--key", "not a key"}), 2);
  EXPECT_EQ(run({"prove", log(), "one"}), 2);
  EXPECT_EQ(run({"witness", "--state", folder / "w", "--key", folder / "w.key"}), 2);
  EXPECT_EQ(run({"verify", folder / "none"}), 3);
  EXPECT_EQ(run({"prove", log(), "600"}), 3);
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_NE(out.find("callwarden ledger witness"), std::string::npos);
}

TEST_F(LedgerCli, AProofFileStandsAlone) {
  std::string file = folder / "e.tlog-proof";
  ASSERT_EQ(run({"prove", log(), "257", "--out", file}), 0);
  ASSERT_EQ(run({"prove", log(), "257"}), 0);
  EXPECT_EQ(read_file(file), out);
  EXPECT_EQ(run({"verify", "--proof", file, "--key", vkey}), 0);
  std::string bytes = read_file(file);
  bytes[40] ^= 2;
  write_file(file, bytes);
  EXPECT_EQ(run({"verify", "--proof", file, "--key", vkey}), 1);
}

TEST_F(LedgerCli, AKeptCheckpointIsHeldAgainstTheLog) {
  write_file(folder / "kept", read_file(log() + "/checkpoint"));
  source.grow(700);
  ASSERT_TRUE(ledger->advance());
  EXPECT_EQ(run({"verify", log(), "--key", vkey, "--since", folder / "kept"}), 0) << err;
  write_file(folder / "newer", read_file(log() + "/checkpoint"));
  write_file(log() + "/checkpoint", read_file(folder / "kept"));
  EXPECT_EQ(run({"verify", log(), "--key", vkey, "--since", folder / "newer"}), 1);
}

TEST_F(LedgerCli, ExportWritesACopyThatVerifies) {
  ASSERT_EQ(run({"export", log(), folder / "copy", "--key", vkey}), 0) << err;
  EXPECT_EQ(run({"verify", folder / "copy", "--key", vkey}), 0);
  EXPECT_EQ(run({"export", log(), folder / "copy"}), 2) << "not empty";
}

TEST_F(LedgerCli, TheWitnessMakesItsKeyOnceCosignsGrowthAndRefusesACut) {
  std::vector<std::string> words{"witness",
                                 "--state",
                                 folder / "w",
                                 "--key",
                                 folder / "w.key",
                                 "--name",
                                 "witness.example",
                                 "--log",
                                 log(),
                                 "--out",
                                 folder / "cosigned",
                                 "--lang",
                                 "en"};
  ASSERT_EQ(run(words), 0) << err;
  std::size_t at = err.find("verifier key: ");
  ASSERT_NE(at, std::string::npos) << err;
  std::string witness_key = err.substr(at + 14);
  EXPECT_TRUE(
      SignedNote::parse(read_file(folder / "cosigned"))->verify(*VerifierKey::parse(witness_key)));
  std::string before = read_file(log() + "/checkpoint");
  source.grow(900);
  ASSERT_TRUE(ledger->advance());
  ASSERT_EQ(run(words), 0) << err;
  write_file(log() + "/checkpoint", before);
  EXPECT_EQ(run(words), 1);
  EXPECT_NE(err.find("truncated"), std::string::npos) << err;
}

TEST_F(LedgerCli, ALogAtAWebAddressVerifiesAndIsProvenAndExported) {
  SmallServer server(log(), nullptr);
  EXPECT_EQ(run({"verify", server.url() + "/", "--key", vkey}), 0) << err;
  EXPECT_EQ(run({"prove", server.url(), "3", "--out", folder / "p"}), 0);
  EXPECT_EQ(run({"verify", "--proof", folder / "p", "--key", vkey}), 0);
  EXPECT_EQ(run({"export", server.url(), folder / "copy", "--key", vkey}), 0) << err;
  EXPECT_EQ(read_file(folder / "copy/tile/0/002.p/88"), read_file(log() + "/tile/0/002.p/88"));
  flip("tile/0/000", 70);
  EXPECT_EQ(run({"verify", server.url(), "--key", vkey, "--json"}), 1);
  EXPECT_EQ(parse_json(out)->at("place"), "/tile/0/000");
}

TEST_F(LedgerCli, AnAddressThatDoesNotAnswerIsUnreadable) {
  std::string url;
  { url = SmallServer(log(), nullptr).url(); }
  EXPECT_EQ(run({"verify", url, "--key", vkey}), 3);
}

TEST_F(LedgerCli, AWitnessIsAskedOverHttp) {
  SeededRandom random(3);
  ManualClock clock(1'795'305'600'000);
  auto witness = Witness::open(folder / "w", {"w.example", SigningKey::generate(random)}, clock);
  ASSERT_TRUE((*witness)->know(*VerifierKey::parse(vkey)));
  SmallServer server(log(), witness->get());
  WitnessPost post = witness_at(server.url());
  for (std::uint64_t size : {600, 950}) {
    source.grow(size);
    ASSERT_TRUE(ledger->advance());
    auto lines = ask_witness(post, **open_log(log()), ledger->checkpoint(), (*witness)->verifier());
    EXPECT_TRUE(lines) << lines.problem().text.en;
  }
}

TEST(LedgerBench, MeasuresBesideItsBaselines) {
  json::object measured = bench_ledger(3000);
  for (const char* rate : {"append_per_s", "verify_per_s", "plain_copy_per_s", "raw_sha256_per_s"})
    EXPECT_GT(measured.at(rate).as_int64(), 0) << rate;
  EXPECT_EQ(measured.at("entries").to_number<int>(), 3000);
}

}  // namespace
}  // namespace cw
