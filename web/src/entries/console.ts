import { VueQueryPlugin } from "@tanstack/vue-query";
import { createApp } from "vue";
import "@/design/tokens.css";
import "@/design/shell.css";
import "@/design/components.css";
import { wire } from "@/shared/http";
import { handle } from "@/shared/keys";
import { noteOwn, stopLive } from "@/shared/live";
import { queries } from "@/shared/query";
import { router } from "@/shared/router";
import { forget } from "@/shared/session";
import { firstLang, i18n, setLang } from "@/shared/text";
import { setTheme, theme } from "@/shared/theme";
import App from "@/shell/App.vue";

setTheme(theme.value);
wire.onWritten = noteOwn;
wire.onSignedOut = () => {
  const at = router.currentRoute.value;
  stopLive();
  forget();
  queries.clear();
  if (at.name !== "login") void router.replace({ name: "login", query: { to: at.fullPath } });
};
addEventListener("keydown", (event) => void handle(event));

await setLang(firstLang());
createApp(App).use(i18n).use(router).use(VueQueryPlugin, { queryClient: queries, enableDevtoolsV6Plugin: false }).mount("#app");
