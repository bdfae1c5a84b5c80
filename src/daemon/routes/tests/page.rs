//! docs/openapi.yaml and the routes.
