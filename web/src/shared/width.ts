// How wide a box is now, for drawings that lay themselves out.
import { onBeforeUnmount, onMounted, ref, type Ref } from "vue";

export function useWidth(box: Ref<HTMLElement | undefined>, least: number, most: number): Ref<number> {
  const width = ref(most);
  let seen: ResizeObserver | undefined;
  const measure = (): void => {
    const w = Math.floor(box.value?.clientWidth ?? 0);
    if (w > 0) width.value = Math.min(most, Math.max(least, w));
  };
  onMounted(() => {
    measure();
    seen = new ResizeObserver(measure);
    seen.observe(box.value!);
  });
  onBeforeUnmount(() => seen?.disconnect());
  return width;
}
