"""From direction to answer: `work` lists, the `thread` of one dispatch, acts on its `steps`, the leader `directing`."""
