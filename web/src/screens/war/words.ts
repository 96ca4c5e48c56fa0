// Words that only these screens need, loaded with them.
import { addWords } from "@/shared/text";

await addWords({ zh: () => import("@/locales/war/zh.json"), en: () => import("@/locales/war/en.json") });
