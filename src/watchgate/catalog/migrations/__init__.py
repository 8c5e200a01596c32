"""The catalog's versions, applied by `watchgate.catalog.migration`."""
