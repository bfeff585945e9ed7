// A plotly figure that the scene gave.

register(
  "figure",
  class extends Panel {
    get zooms() {
      return false;
    }

    get moves() {
      return false;
    }

    build() {
      const made = super.build();
      made.querySelectorAll("[data-save=csv]").forEach((button) => button.remove());
      made.querySelector("header").hidden = true;
      made.querySelector(".about").hidden = true;
      return made;
    }

    moment() {
      return "";
    }

    redraw() {
      this.wide = this.stage.clientWidth;
      this.built = true;
      this.stale = false;
      const { data, layout: given, frames } = facts.figure;
      const height = given.height ?? 560;
      this.stage.style.height = `${height}px`;
      const size = { height, width: this.stage.clientWidth, autosize: false };
      Plotly.react(this.plot, { data, layout: { ...given, ...size }, frames, config: CONFIG });
    }

    say() {
      return facts.caption;
    }
  },
);
