import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query'
import { idempotencyKey } from '@/api/client'
import { cancelCommand, createCommand, getCommand, listCommands } from '@/api/generated'
import { type CommandFilters, type CommandRequest, windowOf } from './model'

const PAGE_SIZE = 25

export const commandQuery = (commandId: string) =>
  queryOptions({
    queryKey: [`commands/${commandId}`],
    queryFn: async ({ signal }) =>
      (await getCommand({ path: { command_id: commandId }, signal, throwOnError: true })).data,
  })

export const commandListQuery = (deviceId: string, filters: CommandFilters = {}) =>
  infiniteQueryOptions({
    queryKey: [`devices/${deviceId}/commands`, filters],
    queryFn: async ({ pageParam, signal }) =>
      (
        await listCommands({
          path: { device_id: deviceId },
          query: {
            ...filters,
            ...windowOf(filters),
            limit: PAGE_SIZE,
            ...(pageParam ? { cursor: pageParam } : {}),
          },
          signal,
          throwOnError: true,
        })
      ).data,
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
  })

/** Sends a command and does not wait for its answer: that comes over the live socket. */
export function useRunCommand(deviceId: string) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async ({ action, payload, timeout, ttl }: CommandRequest) =>
      (
        await createCommand({
          path: { device_id: deviceId },
          query: { wait: 0 },
          body: { action, payload, timeout, ...(ttl ? { ttl } : {}) },
          headers: { 'Idempotency-Key': idempotencyKey() },
          throwOnError: true,
        })
      ).data,
    onSuccess: (command) => {
      queryClient.setQueryData(commandQuery(command.id).queryKey, command)
      return queryClient.invalidateQueries({ queryKey: [`devices/${deviceId}/commands`] })
    },
  })
}

export function useCancelCommand(deviceId: string, commandId: string) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async () => {
      await cancelCommand({ path: { command_id: commandId }, throwOnError: true })
    },
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: commandQuery(commandId).queryKey }),
        queryClient.invalidateQueries({ queryKey: [`devices/${deviceId}/commands`] }),
      ]),
  })
}
