"""The lookup API: JSON over HTTP, one table of operations, its OpenAPI document made from it."""
