import 'swagger-ui-dist/swagger-ui.css'
import '@/ui/fonts.css'
import './docs.css'
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js'
import { configureApi } from '@/api/client'
import { accessToken, freshToken, hasSession } from '@/lib/session'

interface DocsRequest {
  url: string
  headers: Record<string, string>
}

/** Tries are made as the person who is signed in to the console, unless another key was entered. */
async function signed(request: DocsRequest): Promise<DocsRequest> {
  const { headers } = request
  const has = Object.keys(headers).some((name) => /^(authorization|x-api-key)$/i.test(name))
  if (!has && hasSession()) {
    const token = accessToken() ?? (await freshToken(null))
    if (token) headers.Authorization = `Bearer ${token}`
  }
  return request
}

configureApi()

// The page at /docs: the API's own document, drawn from files that come with the cloud.
SwaggerUI({
  dom_id: '#docs',
  url: '/api/v1/openapi.json',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  // Its default sends the document to a validator on the Internet.
  validatorUrl: null,
  requestInterceptor: signed,
})
