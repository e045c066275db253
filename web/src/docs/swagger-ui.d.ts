declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  /** The part of Swagger UI's options that we use. */
  const SwaggerUI: (options: Record<string, unknown>) => unknown
  export default SwaggerUI
}
