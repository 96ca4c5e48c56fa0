// Every screen is an address and is loaded when it is first visited.
import { createRouter, createWebHistory } from "vue-router";
import { knowSession, may, session } from "./session";

const frame = () => import("@/shell/AppFrame.vue");

export const router = createRouter({
  history: createWebHistory("/"),
  routes: [
    { path: "/login", name: "login", component: () => import("@/screens/login/LoginScreen.vue"), meta: { open: true } },
    {
      path: "/", component: frame, children: [
        { path: "", name: "workbench", component: () => import("@/screens/workbench/WorkbenchScreen.vue") },
        { path: "incidents", name: "incidents", component: () => import("@/screens/incidents/IncidentsScreen.vue") },
        { path: "incidents/:id", name: "record", component: () => import("@/screens/record/RecordScreen.vue"), props: true },
        { path: "report", name: "report", component: () => import("@/screens/report/ReportScreen.vue") },
        { path: "war", name: "war", component: () => import("@/screens/war/WarListScreen.vue") },
        { path: "war/:id", name: "warroom", component: () => import("@/screens/war/WarScreen.vue"), props: true },
        { path: "roster/:tab?", name: "roster", component: () => import("@/screens/roster/RosterScreen.vue"), props: true },
        { path: "alerts/:id?", name: "alerts", component: () => import("@/screens/alerts/AlertsScreen.vue"), props: true },
        { path: "procedures/import", name: "playbook-import", component: () => import("@/screens/exchange/ImportScreen.vue") },
        { path: "procedures/:id?/:part?", name: "procedures", component: () => import("@/screens/procedures/ProceduresScreen.vue"), props: true },
        { path: "drills", name: "drills", component: () => import("@/screens/drills/DrillsScreen.vue") },
        { path: "drills/:id", name: "drill", component: () => import("@/screens/drills/DrillScreen.vue"), props: true },
        { path: "revisions", name: "revisions", component: () => import("@/screens/publish/RevisionsScreen.vue") },
        { path: "revisions/new", name: "revision-new", component: () => import("@/screens/publish/EditScreen.vue") },
        { path: "revisions/:id", name: "revision", component: () => import("@/screens/publish/RevisionScreen.vue"), props: true },
        { path: "revisions/:id/edit", name: "revision-edit", component: () => import("@/screens/publish/EditScreen.vue"), props: true },
        { path: "definitions/:kind/:id", name: "definition", component: () => import("@/screens/publish/HistoryScreen.vue"), props: true },
        { path: "definitions/procedures/:id/migrate", name: "migrate", component: () => import("@/screens/publish/MigrateScreen.vue"), props: true },
        { path: "ledger", name: "ledger", component: () => import("@/screens/ledger/LedgerScreen.vue") },
        { path: "people/:tab?", name: "people", component: () => import("@/screens/people/PeopleScreen.vue"), props: true },
        { path: "notices", name: "notices", component: () => import("@/screens/notices/NoticesScreen.vue") },
        { path: "account", name: "account", component: () => import("@/screens/account/AccountScreen.vue") },
        { path: ":rest(.*)*", name: "nowhere", component: () => import("@/screens/nowhere/NowhereScreen.vue") },
      ],
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});

// Who may not see cases begins where they have something to do.
function home() {
  const first = ([["alerts", "alert.read"], ["people", "people.read"], ["ledger", "ledger.read"], ["roster", "roster.read"]] as const).find(([, needs]) => may(needs));
  return { name: first?.[0] ?? "account" };
}

router.beforeEach(async (to) => {
  const s = session.value ?? (await knowSession().catch(() => null));
  const ready = s !== null && !s.must_change_password;
  if (to.meta.open) return ready && !to.query.stay ? String(to.query.to ?? "/") : true;
  if (ready && to.name === "workbench" && !may("case.read")) return home();
  return ready ? true : { name: "login", query: to.fullPath === "/" ? {} : { to: to.fullPath } };
});
