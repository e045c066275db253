import { jsonParseLinter } from '@codemirror/lang-json'
import { linter, lintGutter } from '@codemirror/lint'
import { EditorState } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import css from './editor.module.css'
import { jsonSetup } from './setup'

export interface JsonEditorProps {
  value: string
  onChange: (text: string) => void
  label: string
  minHeight?: number
  invalid?: boolean
}

/** An editor for JSON text. A syntax error is shown where it is; `value` may be replaced from outside at any time. */
export default function JsonEditor({
  value,
  onChange,
  label,
  minHeight = 200,
  invalid,
}: JsonEditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const latest = useRef({ value, onChange })
  latest.current.onChange = onChange

  useEffect(() => {
    if (!host.current) return
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          jsonSetup(),
          linter(jsonParseLinter(), { delay: 300 }),
          lintGutter(),
          EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return
            latest.current.value = update.state.doc.toString()
            latest.current.onChange(latest.current.value)
          }),
        ],
      }),
    })
    view.current = editor
    return () => editor.destroy()
  }, [label])

  useEffect(() => {
    const editor = view.current
    if (!editor || value === latest.current.value) return
    latest.current.value = value
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])

  return (
    <div
      ref={host}
      className={css.editor}
      data-invalid={invalid || undefined}
      style={{ '--editor-height': `${minHeight}px` } as React.CSSProperties}
    />
  )
}
