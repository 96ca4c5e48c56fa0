// The roster's words, loaded with its screen.
import { addWords } from "@/shared/text";

await addWords({ zh: () => import("@/locales/roster/zh.json"), en: () => import("@/locales/roster/en.json") });
