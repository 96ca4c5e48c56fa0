// The library's words, loaded with the first screen that shows a procedure.
import { addWords } from "@/shared/text";

await addWords({ zh: () => import("@/locales/library/zh.json"), en: () => import("@/locales/library/en.json") });
