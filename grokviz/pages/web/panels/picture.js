// Pictures that the scene itself drew, one a moment.

register(
  "picture",
  class extends Panel {
    get zooms() {
      return false;
    }

    get moves() {
      return facts.pictures.length > 1;
    }

    moment() {
      return epochs.length > 1 ? epoch() : "";
    }

    build() {
      const made = super.build();
      const [width, height] = facts.size;
      this.image = element("img", { class: "picture", width, height, decoding: "sync", alt: facts.alts[state.at] });
      this.plot.removeAttribute("role");
      this.plot.removeAttribute("aria-label");
      this.plot.append(this.image);
      made.querySelectorAll("[data-save=svg], [data-save=csv]").forEach((button) => button.remove());
      made.querySelector("header").hidden = true;
      made.querySelector(".about").hidden = true;
      return made;
    }

    redraw() {
      this.built = true;
      this.wide = this.stage.clientWidth;
      this.show();
    }

    show() {
      this.built = true;
      this.stale = false;
      this.image.src = `data:image/webp;base64,${facts.pictures[state.at]}`;
      this.stamp.textContent = this.stampText();
    }

    describe() {
      this.image.alt = facts.alts[state.at];
    }

    say() {
      return facts.alts[state.at];
    }

    async saved() {
      const [width, height] = facts.size;
      const canvas = element("canvas", { width, height });
      await this.image.decode();
      canvas.getContext("2d").drawImage(this.image, 0, 0);
      return new Promise((done) => canvas.toBlob(done, "image/png"));
    }
  },
);
