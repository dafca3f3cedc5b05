// A page from disk may not read another one, so its search shows titles without the lines around what was found.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
