"use strict";

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#documents",
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null, // it would ask a server elsewhere
  persistAuthorization: false, // tokens do not outlive the page
});
