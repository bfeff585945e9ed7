// Every residue in the plane of each embedded frequency.

register("circles", Circles);
