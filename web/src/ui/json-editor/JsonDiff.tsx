import { unifiedMergeView } from '@codemirror/merge'
import { EditorState } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import css from './editor.module.css'
import { jsonSetup } from './setup'

export interface JsonDiffProps {
  before: string
  after: string
  label: string
}

/** Two JSON texts as one, removed lines above what replaced them. */
export default function JsonDiff({ before, after, label }: JsonDiffProps) {
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!host.current) return
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: after,
        extensions: [
          jsonSetup(),
          unifiedMergeView({
            original: before,
            mergeControls: false,
            gutter: true,
            collapseUnchanged: { margin: 3, minSize: 8 },
          }),
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
        ],
      }),
    })
    return () => editor.destroy()
  }, [before, after, label])
  return <div ref={host} className={css.editor} />
}
