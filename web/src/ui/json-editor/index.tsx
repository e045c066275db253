import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { JsonDiffProps } from './JsonDiff'
import type { JsonEditorProps } from './JsonEditor'

// CodeMirror is the heaviest part of the console: it comes when an editor is first shown.
const Editor = lazy(() => import('./JsonEditor'))
const Diff = lazy(() => import('./JsonDiff'))

export const JsonEditor = (props: JsonEditorProps) => (
  <Suspense fallback={<Skeleton height={props.minHeight ?? 200} />}>
    <Editor {...props} />
  </Suspense>
)

export const JsonDiff = (props: JsonDiffProps) => (
  <Suspense fallback={<Skeleton height={200} />}>
    <Diff {...props} />
  </Suspense>
)
