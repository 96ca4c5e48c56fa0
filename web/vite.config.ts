import vue from "@vitejs/plugin-vue";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const api = process.env.CALLWARDEN_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    __VUE_I18N_FULL_INSTALL__: "false",
    __VUE_I18N_LEGACY_API__: "false",
    __INTLIFY_PROD_DEVTOOLS__: "false",
  },
  build: {
    target: "chrome109",
    manifest: true,
    cssTarget: "chrome109",
    assetsInlineLimit: 0,  // the policy allows no data: URL outside pictures, and we need none
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        // Few requests: the libraries and what every screen uses come in one piece each.
        manualChunks: (id) => {
          if (/node_modules\/(@vue|vue|vue-router|vue-i18n|@intlify|@tanstack|vue-demi)\//.test(id)) return "vue";
          if (/src\/shared\/(?!schema|ledger|derivation|families|pick|router)/.test(id)) return "base";
          return /src\/design\/Cw(?!Clock|Derivation|Dialog|ErrorSummary|Form|Input|Menu|Picker|Steps|Task|Timeline|Toasts)\w+\.vue/.test(id) ? "base" : undefined;
        },
      },
    },
  },
  server: { proxy: { "/api": { target: api, changeOrigin: false } } },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"], pool: "threads" },
});
