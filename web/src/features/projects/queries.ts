import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { idempotencyKey } from '@/api/client'
import {
  type CreateProject,
  createProject,
  deleteProject,
  listProjects,
  type ProjectDocument,
  updateProject,
} from '@/api/generated'
import { useMay } from '@/features/auth'
import { cursorQuery } from '@/lib/cursor'

export const projectListQuery = cursorQuery(
  ['projects'],
  async (ask) => (await listProjects({ ...ask, throwOnError: true })).data,
)

/** Makes a project, or changes the one that is given, on the version that was on screen. */
export function useSaveProject(project: ProjectDocument | null) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (body: CreateProject) => {
      if (!project) {
        const headers = { 'Idempotency-Key': idempotencyKey() }
        await createProject({ body, headers, throwOnError: true })
        return
      }
      await updateProject({
        path: { project_id: project.id },
        body,
        headers: { 'If-Match': `"${project.version}"` },
        throwOnError: true,
      })
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: projectListQuery.queryKey }),
  })
}

export function useDeleteProject() {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (projectId: string) => {
      await deleteProject({ path: { project_id: projectId }, throwOnError: true })
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: projectListQuery.queryKey }),
  })
}

/** Names of the projects by id. */
export function useProjectNames(): ReadonlyMap<string, string> {
  const may = useMay('projects:view') ?? false
  const { data } = useInfiniteQuery({ ...projectListQuery, enabled: may })
  return useMemo(() => new Map(data?.items.map(({ id, name }) => [id, name])), [data])
}
