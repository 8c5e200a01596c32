"""Ready rules, in files of this folder: `watchgate rules library` lists them, `rules use` copies them."""
