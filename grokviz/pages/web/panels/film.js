// A film, inside the page.

register(
  "film",
  class extends Panel {
    get zooms() {
      return false;
    }

    get moves() {
      return false;
    }

    build() {
      const made = super.build();
      const bytes = Uint8Array.from(atob(facts.film), (c) => c.charCodeAt(0));
      const video = element("video", { class: "picture", controls: true, preload: "auto", "aria-label": facts.alt });
      video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
      this.plot.removeAttribute("role");
      this.plot.removeAttribute("aria-label");
      this.plot.append(video);
      made.querySelectorAll(".savers, .about").forEach((part) => part.remove());
      made.querySelector("header").hidden = true;
      return made;
    }

    redraw() {
      this.built = true;
      this.wide = this.stage.clientWidth;
      this.stale = false;
    }

    describe() {}
  },
);
