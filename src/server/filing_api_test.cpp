#include <gmock/gmock.h>

#include "api_testing.h"
#include "ledger/ledger.h"

// A report to the authority: filled in from what the case knows, refused without a reason when it
// is late, printed with authority, article, times and lateness.
namespace cw {
namespace {

using testing::HasSubstr;
using testing::Not;

class FilingApi : public CentreApi {
 protected:
  std::string at(std::int64_t before_min) {
    return to_rfc3339(clock_.now_ms() - before_min * 60'000);
  }
  void did(const std::string& login, const std::string& path, const json::object& form) {
    auto answer = ask(login, "POST", path, json::object{{"form", form}});
    EXPECT_EQ(answer.status, 200) << path << " " << answer.body;
  }
  // A leak of a million people, discovered 30 minutes ago, told to the house 20 minutes earlier.
  std::string leak() {
    auto started = ask("zheng", "POST", "/cases",
                       json::object{{"procedure", "plan.customer-leak"},
                                    {"form",
                                     {{"discovered_at", at(30)},
                                      {"learned_at", at(50)},
                                      {"occurred_at", at(300)},
                                      {"summary", "外呼名单在网上出售"},
                                      {"affected", "营销外呼平台"},
                                      {"impact", "可能被用于诈骗"},
                                      {"source", "customer"}}}});
    EXPECT_EQ(started.status, 201) << started.body;
    const std::string id(text_or(body(started), "id"));
    did("wang", "/cases/" + id + "/tasks/ack", {});
    did("wang", "/cases/" + id + "/actions/activate",
        {{"severity", "III"},
         {"grade", "larger"},
         {"people", 1'000'000},
         {"operator", "other"},
         {"hazard", "low"},
         {"category", "data"},
         {"grounds", "样本核对属实"}});
    return id;
  }
};

TEST_F(FilingApi, AReportToTheAuthorityIsFilledInFromWhatTheCaseKnows) {
  const std::string id = leak();
  did("wang", "/cases/" + id + "/tasks/detail",
      {{"course", "名单由外包坐席导出"},
       {"impact", "涉及一百万人"},
       {"measures", "已停用账号"},
       {"next_steps", "报案"},
       {"data_kinds", {"identity", "contact"}}});
  const json::object known = read("qian", "/cases/" + id + "/prefill/cac?lang=zh");
  const json::object& values = known.at("values").as_object();
  EXPECT_EQ(text_or(values, "event"), "名单由外包坐席导出") << "the later form before the first";
  EXPECT_EQ(text_or(values, "systems"), "营销外呼平台");
  EXPECT_EQ(text_or(values, "unit"), "广东服务中心");
  EXPECT_EQ(text_or(values, "state_grade"), "较大") << "a fact's word";
  EXPECT_EQ(text_or(values, "category"), "数据安全事件") << "a choice's word";
  EXPECT_EQ(int_or(values, "persons"), 1'000'000);
  EXPECT_EQ(text_or(values, "reported_at"), to_rfc3339(clock_.now_ms()));
  EXPECT_FALSE(values.contains("late_reason"));
  EXPECT_FALSE(values.contains("authority")) << "nothing was filed that says it";
  EXPECT_THAT(json::serialize(known.at("sources")), HasSubstr("detailed.course"));
  EXPECT_FALSE(known.at("reason_due").as_bool());
  const json::object& duty = known.at("duties").as_array()[0].as_object();
  EXPECT_EQ(text_or(duty, "regulation"), "CAC-2025-4");
  EXPECT_EQ(text_or(duty, "article"), "4");
  EXPECT_EQ(text_or(duty, "base"), "learned_at") << "the earlier of discovery and learning";
  EXPECT_EQ(int_or(duty, "due_at"), clock_.now_ms() - 50 * 60'000 + 4 * 3'600'000);
  const json::object people = read("qian", "/cases/" + id + "/prefill/persons?lang=zh");
  EXPECT_EQ(text_or(people.at("values").as_object(), "kinds"), "身份信息、联系方式");
  EXPECT_EQ(text_or(people.at("duties").as_array()[0].as_object(), "regulation"), "PIPL-57");
  EXPECT_EQ(ask("qian", "GET", "/cases/" + id + "/prefill/nothing").status, 404);
}

TEST_F(FilingApi, WhoReportsLateSaysWhyAndThePageTellsHowLate) {
  const std::string id = leak();
  json::object form{{"authority", "provincial"},
                    {"reported_at", at(0)},
                    {"event", "名单被出售"},
                    {"impact", "一百万人"},
                    {"measures", "已停用账号"}};
  clock_.advance_ms(4 * 3'600'000);  // due 190 minutes from the start
  in_->advance();
  sessions_.clear();  // they ended meanwhile
  form["reported_at"] = at(0);
  EXPECT_TRUE(read("qian", "/cases/" + id + "/prefill/cac").at("reason_due").as_bool());
  auto refused = ask("qian", "POST", "/cases/" + id + "/tasks/cac", json::object{{"form", form}});
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_EQ(code(refused), "form.late");
  EXPECT_THAT(refused.body, HasSubstr("/form/late_reason"));
  form["late_reason"] = "夜间无人核实样本";
  did("qian", "/cases/" + id + "/tasks/cac", form);
  const std::string page = ask("qian", "GET", "/cases/" + id + "/print/cac?lang=zh").body;
  for (const char* told : {"《国家网络安全事件报告管理办法》第 4 条", "属地省级网信部门",
                           "获知时间", "4h", "50 分钟", "夜间无人核实样本"})
    EXPECT_THAT(page, HasSubstr(told));
  EXPECT_THAT(page, HasSubstr("2026-11-22 07:10:00")) << "counted from 50 minutes before eight";
  EXPECT_THAT(page, HasSubstr("2026-11-22 11:10:00")) << "due";
  const std::size_t at = page.find("<code>#");
  ASSERT_NE(at, std::string::npos);
  const auto entry = in_->journal().entries(std::stoull(page.substr(at + 7)), 1);
  ASSERT_EQ(entry.size(), 1u);
  const std::string leaf = to_hex(bytes_of(leaf_hash(entry[0]))).substr(0, 16);
  EXPECT_NE(page.find(leaf), page.rfind(leaf)) << "on each sheet, and at the end";

  // A supplement is a report of its own, filled in from the first, and never late.
  const json::object again = read("qian", "/cases/" + id + "/prefill/further?lang=zh");
  EXPECT_EQ(text_or(again.at("values").as_object(), "event"), "名单被出售");
  form.erase("late_reason");
  form["kind_of_report"] = "supplement";
  did("qian", "/cases/" + id + "/actions/further", form);
  const std::string supplement = ask("qian", "GET", "/cases/" + id + "/print/further?lang=zh").body;
  EXPECT_THAT(supplement, HasSubstr("续报"));
  EXPECT_THAT(supplement, Not(HasSubstr("50 分钟")));
}

TEST_F(FilingApi, InTimeNobodyIsAskedForAReason) {
  const std::string id = leak();
  did("qian", "/cases/" + id + "/tasks/cac",
      {{"authority", "provincial"},
       {"reported_at", at(0)},
       {"event", "名单被出售"},
       {"impact", "一百万人"},
       {"measures", "已停用账号"}});
  const std::string page = ask("qian", "GET", "/cases/" + id + "/print/cac?lang=en").body;
  EXPECT_THAT(page, HasSubstr("not late"));
}

}  // namespace
}  // namespace cw
