// What strangers send: OASIS's own playbooks, conditions, loops, failures, signatures, nonsense.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "cacao.h"
#include "crypto/crypto.h"

namespace cw::cacao {
namespace {

namespace fs = std::filesystem;

std::string uuid(int n) {
  std::string digits = std::to_string(n);
  return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

// A playbook whose steps are told as ("action--1", {…}); the number becomes a UUID everywhere.
std::string playbook(const std::string& workflow, const std::string& more = "") {
  std::string text =
      R"({"type":"playbook","spec_version":"cacao-2.0","id":"playbook--#1","name":"Test play",
"created_by":"identity--#2","created":"2026-01-01T00:00:00.000Z",
"modified":"2026-01-01T00:00:00.000Z","workflow_start":"start--#10","workflow":{
"start--#10":{"type":"start","on_completion":"action--#11"},
"end--#99":{"type":"end"},)" +
      workflow + "}" + more + "}";
  for (std::size_t at; (at = text.find('#')) != std::string::npos;) {
    std::size_t end = at + 1;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
    text.replace(at, end - at, uuid(std::stoi(text.substr(at + 1, end - at - 1))));
  }
  return text;
}

Draft read(const std::string& text) {
  auto draft = read_playbook(text, Library());
  EXPECT_TRUE(draft.ok()) << draft.problem().text.en;
  if (!draft) return {};
  EXPECT_TRUE(draft->mistakes.empty()) << describe(draft->mistakes[0], "en") << "\n"
                                       << draft->files[0].text;
  return *draft;
}

bool says(const Draft& draft, std::string_view part) {
  return std::any_of(draft.files.begin(), draft.files.end(),
                     [&](const File& f) { return f.text.find(part) != std::string::npos; });
}

bool told(const Draft& draft, std::string_view code) {
  return std::any_of(draft.notes.begin(), draft.notes.end(),
                     [&](const Note& n) { return n.code == code; });
}

Problem refusal(const std::string& text) {
  auto draft = read_playbook(text, Library());
  EXPECT_FALSE(draft.ok());
  return draft ? Problem{} : draft.problem();
}

const char* kAction = R"("action--#11":{"type":"action","name":"Look","agent":"individual--#5",
"commands":[{"type":"bash","command":"rm -rf /"}],"on_completion":"end--#99"})";

TEST(Import, EveryOasisPlaybookBecomesACheckedDraftWithAReport) {
  const char* named = std::getenv("CALLWARDEN_CORPORA");
  const fs::path folder =
      (named ? fs::path(named) : fs::path(CW_SOURCE_DIR) / "../shared/corpora") / "cacao";
  if (!fs::is_directory(folder)) GTEST_SKIP() << "the OASIS playbooks are not beside the project";
  int playbooks = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    if (text.str().find("\"identity\"") != std::string::npos &&
        text.str().find("\"workflow\"") == std::string::npos) {
      EXPECT_EQ(refusal(text.str()).fields.at(0).pointer, "/type") << "an identity is no playbook";
      continue;
    }
    const Draft draft = read(text.str());
    ++playbooks;
    int kinds[3] = {};
    for (const Note& n : draft.notes) ++kinds[static_cast<int>(n.kind)];
    EXPECT_GT(draft.notes.size(), 2u);
    std::cout << entry.path().filename().string() << ": " << draft.files.size() << " files, "
              << kinds[0] << " mapped, " << kinds[1] << " lost, " << kinds[2] << " to check\n";
  }
  EXPECT_GE(playbooks, 4);
}

TEST(Import, ACommandIsTextInATaskForPeople) {
  const Draft draft = read(playbook(kAction, R"(,"agent_definitions":{"individual--#5":
{"type":"individual","name":"Network Admin"}})"));
  EXPECT_TRUE(says(draft, "rm -rf /"));
  EXPECT_TRUE(says(draft, "只供阅读，系统不执行"));
  EXPECT_TRUE(says(draft, "post: network-admin"));
  EXPECT_TRUE(told(draft, "command") && told(draft, "language"));
}

TEST(Import, ConditionsOverKnownVariablesBecomeExpressionsOthersAChoice) {
  const std::string variables =
      R"(,"playbook_variables":{"__risk__":{"type":"string","value":"low"},
"__count__":{"type":"integer"},"__note__":{"type":"string","value":"hello"}})";
  auto flow = [](const std::string& condition) {
    return R"("action--#11":{"type":"action","name":"Look","commands":[{"type":"manual",
"command":"Judge"}],"out_args":["__risk__"],"on_completion":"if-condition--#12"},
"if-condition--#12":{"type":"if-condition","condition":")" +
           condition +
           R"(","on_true":"action--#13","on_false":"end--#98","on_completion":"end--#99"},
"action--#13":{"type":"action","name":"Block","commands":[{"type":"manual","command":"Block"}],
"on_completion":"end--#97"},"end--#97":{"type":"end"},"end--#98":{"type":"end"})";
  };
  const Draft known = read(playbook(flow("__risk__:value == 'high'"), variables));
  EXPECT_TRUE(says(known, "auto: \"risk == 'high'\"")) << known.files[0].text;
  EXPECT_TRUE(says(known, "auto: \"!(risk == 'high')\""));
  EXPECT_TRUE(says(known, "enum: [high, low, other]"));
  const Draft unset = read(playbook(flow("__count__:value > 5"), variables));
  EXPECT_TRUE(says(unset, "has(count) && (count > 5)")) << unset.files[0].text;
  const Draft choice = read(playbook(flow("[ipv4-addr:value = '1.2.3.4']"), variables));
  EXPECT_FALSE(says(choice, "ipv4-addr:value = '1.2.3.4']\"\n        auto"));
  EXPECT_TRUE(std::any_of(choice.notes.begin(), choice.notes.end(), [](const Note& n) {
    return n.code == "condition" && n.kind == Note::Kind::check;
  }));
}

TEST(Import, LoopsDelaysFailuresAndParallelBranchesKeepTheirMeaning) {
  const Draft draft = read(playbook(
      R"("action--#11":{"type":"action","name":"Try","delay":90000,"timeout":3600000,
"commands":[{"type":"manual","command":"Try"}],"on_success":"parallel--#12","on_failure":"action--#11"},
"parallel--#12":{"type":"parallel","next_steps":["action--#13","action--#14"],
"on_completion":"while-condition--#16"},
"action--#13":{"type":"action","name":"One","commands":[{"type":"manual","command":"1"}],
"on_completion":"action--#15"},
"action--#15":{"type":"action","name":"Then","commands":[{"type":"manual","command":"2"}],
"on_completion":"end--#90"},
"action--#14":{"type":"action","name":"Two","commands":[{"type":"manual","command":"3"}],
"on_completion":"end--#91"},"end--#90":{"type":"end"},"end--#91":{"type":"end"},
"while-condition--#16":{"type":"while-condition","condition":"__open__:value == true",
"on_true":"action--#17","on_completion":"end--#99"},
"action--#17":{"type":"action","name":"Again","commands":[{"type":"manual","command":"4"}],
"on_completion":"end--#92"},"end--#92":{"type":"end"})",
      R"(,"playbook_variables":{"__open__":{"type":"bool","value":"true"}})"));
  EXPECT_TRUE(says(draft, "limit: 2m")) << "a delay of 90 s is never shorter";
  EXPECT_TRUE(says(draft, "limit: 1h"));
  EXPECT_TRUE(says(draft, "when: \"tasks.one.done\""));
  EXPECT_TRUE(says(draft, "open == true"));
  for (const char* code : {"delay", "failure", "parallel", "loop", "rounded"})
    EXPECT_TRUE(told(draft, code)) << code;
}

TEST(Import, AnEndlessPlaybookGetsAWayOutAndADeadStepIsSaid) {
  const Draft draft = read(playbook(
      R"("action--#11":{"type":"action","name":"Round","commands":[{"type":"manual","command":"1"}],
"on_completion":"action--#12"},"action--#12":{"type":"action","name":"And round",
"commands":[{"type":"manual","command":"2"}],"on_completion":"action--#11"})"));
  EXPECT_TRUE(told(draft, "endless") && told(draft, "circle") && told(draft, "step"));
  EXPECT_TRUE(says(draft, "stop.here"));
}

TEST(Import, RefusalsNameThePlace) {
  const Problem step = refusal(playbook(
      R"("action--#11":{"type":"action","on_completion":"teleport--#12"},
"teleport--#12":{"type":"teleport"})"));
  EXPECT_EQ(step.code, "cacao.step-type");
  EXPECT_NE(step.text.en.find("'teleport'"), std::string::npos);
  EXPECT_EQ(step.fields.at(0).pointer, "/workflow/teleport--" + uuid(12) + "/type");
  struct Case {
    const char* workflow;
    const char* pointer;
  };
  const std::string at = "/workflow/action--" + uuid(11);
  for (const Case& c :
       {Case{R"("action--#11":{"type":"action","on_completion":"end--#5"})", "/on_completion"},
        Case{R"("action--#11":{"type":"action","delay":-1})", "/delay"},
        Case{R"("action--#11":{"type":"action","commands":[{"type":"ssh"},{"x":1}]})",
             "/commands/1/type"},
        Case{R"("action--#11":{"type":"action","name":7})", "/name"},
        Case{R"("action--#11":{"type":"end"})", ""}, Case{R"("action--#11":5)", ""}}) {
    const Problem p = refusal(playbook(c.workflow));
    EXPECT_EQ(p.fields.at(0).pointer, at + c.pointer) << p.text.en;
  }
  EXPECT_EQ(refusal("[]").fields.at(0).pointer, "");
  EXPECT_EQ(refusal("{").code, "json.malformed");
  EXPECT_EQ(refusal(std::string(playbook_size_max + 1, ' ')).code, "json.too-large");
  std::string old = playbook(kAction);
  old.replace(old.find("cacao-2.0"), 9, "cacao-1.1");
  EXPECT_EQ(refusal(old).fields.at(0).pointer, "/spec_version");
}

TEST(Import, StepsAreBounded) {
  std::string many;
  for (int i = 0; i < 10'001; ++i)
    many += (i ? "," : "") + std::string("\"end--") + uuid(1'000 + i) + "\":{\"type\":\"end\"}";
  EXPECT_EQ(refusal(playbook(many)).code, "cacao.too-large");
}

// Signs as the standard's example does: the hexadecimal digest of the canonical playbook.
std::string signed_playbook(EVP_PKEY* key, const EVP_MD* hash, const std::string& algorithm) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  const std::string spki(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  json::object whole = parse_json(playbook(kAction))->get_object();
  whole["signatures"] = json::array{json::object{{"type", "jss"},
                                                 {"id", "jss--" + uuid(7)},
                                                 {"signee", "House"},
                                                 {"related_to", whole["id"]},
                                                 {"related_version", whole["modified"]},
                                                 {"hash_algorithm", "sha-256"},
                                                 {"algorithm", algorithm},
                                                 {"public_key", to_base64(spki)}}};
  const std::string text = to_hex(bytes_of(sha256(canonical(json::value(whole)))));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::size_t length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  EXPECT_EQ(EVP_DigestSignInit(context, nullptr, hash, nullptr, key), 1);
  EXPECT_EQ(EVP_DigestSign(context, nullptr, &length, bytes, text.size()), 1);
  std::string signature(length, '\0');
  EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &length,
                           bytes, text.size()),
            1);
  signature.resize(length);
  EVP_MD_CTX_free(context);
  whole["signatures"].get_array()[0].get_object()["value"] = to_base64url(signature);
  return json::serialize(whole);
}

TEST(Signature, OneThatHoldsIsToldOneThatDoesNotRefuses) {
  struct Kind {
    EVP_PKEY* key;
    const EVP_MD* hash;
    const char* name;
  };
  for (const Kind& kind :
       {Kind{EVP_RSA_gen(2048), EVP_sha256(), "RS256"},
        Kind{EVP_EC_gen("P-256"), EVP_sha256(), "ES256"},
        Kind{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), nullptr, "Ed25519"}}) {
    SCOPED_TRACE(kind.name);
    const std::string text = signed_playbook(kind.key, kind.hash, kind.name);
    const Draft draft = read(text);
    ASSERT_EQ(draft.seals.size(), 1u);
    EXPECT_TRUE(draft.seals[0].verified) << draft.seals[0].text.en;
    EXPECT_EQ(draft.seals[0].key.size(), 64u);
    std::string changed = text;
    changed.replace(changed.find("Test play"), 9, "Best play");
    const Problem p = refusal(changed);
    EXPECT_EQ(p.code, "cacao.signature");
    EXPECT_EQ(p.fields.at(0).pointer, "/signatures/0/value");
    EVP_PKEY_free(kind.key);
  }
}

TEST(Signature, WhatCannotBeVerifiedIsSaidToBeSo) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  std::string text = signed_playbook(key, nullptr, "Ed25519");
  EVP_PKEY_free(key);
  const std::string from = "\"algorithm\":\"Ed25519\"", to = "\"algorithm\":\"LMS_SHA256_M32_H5\"";
  text.replace(text.find(from), from.size(), to);
  const Draft draft = read(text);
  ASSERT_EQ(draft.seals.size(), 1u);
  EXPECT_FALSE(draft.seals[0].verified);
  EXPECT_TRUE(told(draft, "signature"));
}

}  // namespace
}  // namespace cw::cacao
