// Films are text until their slide comes near: a page of many films opens at once.
(function () {
  // reveal.js takes orders from any sender: another site that opens this page must not give them
  window.addEventListener("message", (event) => {
    if (location.protocol !== "file:" && event.origin !== location.origin) event.stopImmediatePropagation();
  });

  const videos = (slide) => (slide ? slide.querySelectorAll("video[data-film]") : []);

  function fill(slide) {
    for (const video of videos(slide)) {
      const text = document.getElementById(video.dataset.film);
      if (!text) continue;
      const bytes = Uint8Array.from(atob(text.textContent), (c) => c.charCodeAt(0));
      text.remove();
      video.poster = video.previousElementSibling.src;
      video.previousElementSibling.setAttribute("aria-hidden", "true");
      video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
      video.addEventListener("click", () => toggle(video));
    }
  }

  function near(event) {
    fill(event.currentSlide);
    const next = event.currentSlide.nextElementSibling;
    // after the film at hand has begun
    setTimeout(() => fill(next), 500);
  }

  // to be held again before it has begun is no fault
  function start(video) {
    video.play().catch(() => {});
  }

  function toggle(video) {
    if (video.paused) start(video);
    else video.pause();
  }

  function restart(video) {
    video.currentTime = 0;
    start(video);
  }

  const here = (action) => () => videos(Reveal.getCurrentSlide()).forEach((v) => action(v));

  Reveal.initialize({
    width: 1280, height: 720, margin: 0, minScale: 0.05, maxScale: 10, center: false,
    hash: true, transition: "none", backgroundTransition: "none", plugins: [RevealNotes],
  }).then(() => {
    const bind = (letter, description, action) =>
      Reveal.addKeyBinding({ keyCode: letter.charCodeAt(0), key: letter, description }, here(action));
    bind("T", "Film: hold, or go on", toggle);
    bind("R", "Film: from its start", restart);
    Reveal.on("slidechanged", near);
    near({ currentSlide: Reveal.getCurrentSlide() });
  });
})();
