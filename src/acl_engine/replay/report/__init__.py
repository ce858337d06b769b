"""Reports of a replay: terminal table, JSON, JUnit XML, one HTML page. They print, never judge."""
