// @ts-check
import { Store } from "../store.js";

/**
 * Which face of a result is looked at: the photo, the gallery and the details share one, and so light up together.
 * @extends {Store<{hovered: number | null, selected: number | null}>}
 */
export class FaceFocus extends Store {
  /** @param {number | null} selected index of a face */
  constructor(selected) {
    super({ hovered: null, selected });
  }

  get active() {
    return this.state.hovered ?? this.state.selected;
  }

  /** @param {number | null} index */
  hover(index) {
    if (index !== this.state.hovered) this.update({ hovered: index });
  }

  /** @param {number} index */
  select(index) {
    this.update({ selected: index, hovered: null });
  }
}
