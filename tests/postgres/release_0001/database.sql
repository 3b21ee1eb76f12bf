SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.announcement (
    id uuid NOT NULL,
    layer text NOT NULL,
    language text NOT NULL,
    text text NOT NULL,
    sha256 text NOT NULL,
    length_ms integer NOT NULL,
    level_dbfs double precision NOT NULL,
    added_at timestamp with time zone NOT NULL,
    active_from timestamp with time zone,
    CONSTRAINT ck_announcement_layer_known CHECK ((layer = ANY (ARRAY['first'::text, 'second'::text, 'languages'::text])))
);
CREATE TABLE public.announcement_played (
    call_id uuid NOT NULL,
    "position" integer NOT NULL,
    announcement_id uuid NOT NULL,
    layer text NOT NULL,
    language text NOT NULL,
    sha256 text NOT NULL,
    length_ms integer NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    measured_ms integer,
    result text NOT NULL,
    CONSTRAINT ck_announcement_played_layer_known CHECK ((layer = ANY (ARRAY['first'::text, 'second'::text, 'languages'::text]))),
    CONSTRAINT ck_announcement_played_result_known CHECK ((result = ANY (ARRAY['heard'::text, 'cut'::text, 'interrupted'::text, 'not_reported'::text])))
);
CREATE TABLE public.call (
    id uuid NOT NULL,
    node text NOT NULL,
    channel_id text NOT NULL,
    linked_id text NOT NULL,
    arrived_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    endpoint text NOT NULL,
    context text NOT NULL,
    line text NOT NULL,
    line_e164 text,
    caller_number text,
    caller_e164 text,
    caller_name text,
    outcome text NOT NULL,
    reason text NOT NULL,
    rule_version text NOT NULL,
    scope_reason text NOT NULL,
    mode text,
    language text NOT NULL,
    keys jsonb NOT NULL,
    bridged jsonb NOT NULL,
    bridged_seconds double precision NOT NULL,
    answered_at timestamp with time zone,
    answered_by text NOT NULL,
    parties jsonb NOT NULL,
    timeline jsonb NOT NULL,
    hangup_cause integer,
    pbx_lost boolean NOT NULL,
    unwatched boolean NOT NULL,
    quality jsonb NOT NULL,
    written_at timestamp with time zone NOT NULL,
    numbers_forgotten_at timestamp with time zone,
    CONSTRAINT ck_call_mode_known CHECK ((mode = ANY (ARRAY['opt_out'::text, 'opt_in'::text, 'notice'::text]))),
    CONSTRAINT ck_call_outcome_known CHECK ((outcome = ANY (ARRAY['recorded'::text, 'not_recorded'::text]))),
    CONSTRAINT ck_call_reason_known CHECK ((reason = ANY (ARRAY['stayed_on_the_line'::text, 'consented_by_key'::text, 'not_enabled'::text, 'not_from_a_trunk'::text, 'line_not_listed'::text, 'caller_internal'::text, 'declined'::text, 'no_consent'::text, 'caller_left'::text, 'not_answered'::text, 'announcement_missing'::text, 'announcement_failed'::text, 'disk_low'::text, 'spool_unavailable'::text, 'link_lost'::text, 'app_restarted'::text, 'app_absent'::text, 'app_unresponsive'::text, 'pbx_lost'::text, 'audio_lost'::text])))
);
CREATE TABLE public.incident (
    id uuid NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    call_id uuid,
    detail text NOT NULL,
    CONSTRAINT ck_incident_kind_known CHECK ((kind = ANY (ARRAY['announcement_missing'::text, 'announcement_failed'::text, 'announcement_changed'::text, 'audio_gap'::text, 'audio_lost'::text, 'disk_low'::text, 'spool_unavailable'::text, 'app_absent'::text, 'app_unresponsive'::text, 'app_restarted'::text, 'link_lost'::text, 'pbx_lost'::text, 'journal_unreadable'::text, 'orphan_audio'::text])))
);
CREATE TABLE public.recording (
    id uuid NOT NULL,
    call_id uuid NOT NULL,
    stored_on text NOT NULL,
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    frames bigint NOT NULL,
    sample_rate integer NOT NULL,
    caller_dbfs double precision NOT NULL,
    office_dbfs double precision NOT NULL,
    silent boolean NOT NULL,
    one_sided boolean NOT NULL,
    first_sample_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    erase_by timestamp with time zone NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    truncated boolean NOT NULL,
    incomplete boolean NOT NULL
);
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.call VALUES ('01a20d36-1d60-7001-8000-000000000001', 'pbx1', '1795517980.1', '', '2026-11-24 10:59:40+00', '2026-11-24 11:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100001', '+48600100001', '', 'recorded', 'stayed_on_the_line', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[{"since": "2026-11-24T10:59:59.750000+00:00", "until": "2026-11-24T11:00:00+00:00"}]', 0.25, '2026-11-24 10:59:59.75+00', 'desk', '["desk"]', '[{"at": "2026-11-24T10:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-24T10:59:58.750000+00:00", "kind": "consent:decided", "detail": "stayed_on_the_line"}, {"at": "2026-11-24T10:59:59.750000+00:00", "kind": "call:connected", "detail": "desk"}, {"at": "2026-11-24T11:00:00+00:00", "kind": "call:disconnected", "detail": ""}, {"at": "2026-11-24T11:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-24 11:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a206fd-18e0-7001-8000-000000000002', 'pbx1', '1795413580.2', '', '2026-11-23 05:59:40+00', '2026-11-23 06:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100002', '+48600100002', '', 'recorded', 'stayed_on_the_line', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[{"since": "2026-11-23T05:59:59.750000+00:00", "until": "2026-11-23T06:00:00+00:00"}]', 0.25, '2026-11-23 05:59:59.75+00', 'desk', '["desk"]', '[{"at": "2026-11-23T05:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-23T05:59:58.750000+00:00", "kind": "consent:decided", "detail": "stayed_on_the_line"}, {"at": "2026-11-23T05:59:59.750000+00:00", "kind": "call:connected", "detail": "desk"}, {"at": "2026-11-23T06:00:00+00:00", "kind": "call:disconnected", "detail": ""}, {"at": "2026-11-23T06:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-23 06:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a1f3ad-3fe0-7001-8000-000000000003', 'pbx1', '1795089580.3', '', '2026-11-19 11:59:40+00', '2026-11-19 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '', NULL, '', 'recorded', 'stayed_on_the_line', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[{"since": "2026-11-19T11:59:59.750000+00:00", "until": "2026-11-19T12:00:00+00:00"}]', 0.25, '2026-11-19 11:59:59.75+00', 'desk', '["desk"]', '[{"at": "2026-11-19T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-19T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "stayed_on_the_line"}, {"at": "2026-11-19T11:59:59.750000+00:00", "kind": "call:connected", "detail": "desk"}, {"at": "2026-11-19T12:00:00+00:00", "kind": "call:disconnected", "detail": ""}, {"at": "2026-11-19T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-19 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a1c554-03e0-7001-8000-000000000004', 'pbx1', '1794311980.4', '', '2026-11-10 11:59:40+00', '2026-11-10 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100004', '+48600100004', 'Żółć ‮<b>', 'recorded', 'stayed_on_the_line', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[{"since": "2026-11-10T11:59:59.750000+00:00", "until": "2026-11-10T12:00:00+00:00"}]', 0.25, '2026-11-10 11:59:59.75+00', 'desk', '["desk"]', '[{"at": "2026-11-10T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-10T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "stayed_on_the_line"}, {"at": "2026-11-10T11:59:59.750000+00:00", "kind": "call:connected", "detail": "desk"}, {"at": "2026-11-10T12:00:00+00:00", "kind": "call:disconnected", "detail": ""}, {"at": "2026-11-10T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-10 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a17d3a-fbe0-7001-8000-000000000005', 'pbx1', '1793102380.5', '', '2026-10-27 11:59:40+00', '2026-10-27 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100005', '+48600100005', '', 'recorded', 'stayed_on_the_line', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[{"since": "2026-10-27T11:59:59.750000+00:00", "until": "2026-10-27T12:00:00+00:00"}]', 0.25, '2026-10-27 11:59:59.75+00', 'desk', '["desk"]', '[{"at": "2026-10-27T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-10-27T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "stayed_on_the_line"}, {"at": "2026-10-27T11:59:59.750000+00:00", "kind": "call:connected", "detail": "desk"}, {"at": "2026-10-27T12:00:00+00:00", "kind": "call:disconnected", "detail": ""}, {"at": "2026-10-27T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-10-27 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a16dc7-e7e0-7001-8000-000000000006', 'pbx1', '1792843180.6', '', '2026-10-24 11:59:40+00', '2026-10-24 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100006', '+48600100006', '', 'recorded', 'stayed_on_the_line', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[{"since": "2026-10-24T11:59:59.750000+00:00", "until": "2026-10-24T12:00:00+00:00"}]', 0.25, '2026-10-24 11:59:59.75+00', 'desk', '["desk"]', '[{"at": "2026-10-24T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-10-24T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "stayed_on_the_line"}, {"at": "2026-10-24T11:59:59.750000+00:00", "kind": "call:connected", "detail": "desk"}, {"at": "2026-10-24T12:00:00+00:00", "kind": "call:disconnected", "detail": ""}, {"at": "2026-10-24T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-10-24 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a10bef-13e0-7001-8000-000000000007', 'pbx1', '1791201580.7', '', '2026-10-05 11:59:40+00', '2026-10-05 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100007', '+48600100007', '', 'recorded', 'stayed_on_the_line', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[{"since": "2026-10-05T11:59:59.750000+00:00", "until": "2026-10-05T12:00:00+00:00"}]', 0.25, '2026-10-05 11:59:59.75+00', 'desk', '["desk"]', '[{"at": "2026-10-05T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-10-05T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "stayed_on_the_line"}, {"at": "2026-10-05T11:59:59.750000+00:00", "kind": "call:connected", "detail": "desk"}, {"at": "2026-10-05T12:00:00+00:00", "kind": "call:disconnected", "detail": ""}, {"at": "2026-10-05T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-10-05 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a1fdf9-f7e0-7001-8000-000000000008', 'pbx1', '1795262380.8', '', '2026-11-21 11:59:40+00', '2026-11-21 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100008', '+48600100008', '', 'recorded', 'consented_by_key', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[{"since": "2026-11-21T11:59:59.750000+00:00", "until": "2026-11-21T12:00:00+00:00"}]', 0.25, '2026-11-21 11:59:59.75+00', 'desk', '["desk"]', '[{"at": "2026-11-21T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-21T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "consented_by_key"}, {"at": "2026-11-21T11:59:59.750000+00:00", "kind": "call:connected", "detail": "desk"}, {"at": "2026-11-21T12:00:00+00:00", "kind": "call:disconnected", "detail": ""}, {"at": "2026-11-21T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, true, false, '{}', '2026-11-21 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a20846-afe0-7001-8000-000000000009', 'pbx1', '1795435180.9', '', '2026-11-23 11:59:40+00', '2026-11-23 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100009', '+48600100009', '', 'not_recorded', 'declined', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[]', 0, NULL, '', '[]', '[{"at": "2026-11-23T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-23T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "declined"}, {"at": "2026-11-23T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-23 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a20320-53e0-7001-8000-00000000000a', 'pbx1', '1795348780.10', '', '2026-11-22 11:59:40+00', '2026-11-22 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100010', '+48600100010', '', 'not_recorded', 'caller_left', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[]', 0, NULL, '', '[]', '[{"at": "2026-11-22T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-22T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "caller_left"}, {"at": "2026-11-22T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-22 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a1fdf9-f7e0-7001-8000-00000000000b', 'pbx1', '1795262380.11', '', '2026-11-21 11:59:40+00', '2026-11-21 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100011', '+48600100011', '', 'not_recorded', 'app_absent', '2026-11', 'app_absent', NULL, '', '[]', '[]', 0, NULL, '', '[]', '[{"at": "2026-11-21T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-21T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-21 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a1f8d3-9be0-7001-8000-00000000000c', 'pbx1', '1795175980.12', '', '2026-11-20 11:59:40+00', '2026-11-20 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100012', '+48600100012', '', 'not_recorded', 'not_answered', '2026-11', 'stayed_on_the_line', 'opt_out', 'pl', '[]', '[]', 0, NULL, '', '[]', '[{"at": "2026-11-20T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-20T11:59:58.750000+00:00", "kind": "consent:decided", "detail": "not_answered"}, {"at": "2026-11-20T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-20 12:00:02+00', NULL);
INSERT INTO public.call VALUES ('01a1f3ad-3fe0-7001-8000-00000000000d', 'pbx1', '1795089580.13', '', '2026-11-19 11:59:40+00', '2026-11-19 12:00:00+00', 'operator', 'from-operator', '746640800', '+48746640800', '600100013', '+48600100013', '', 'not_recorded', 'line_not_listed', '2026-11', 'line_not_listed', NULL, '', '[]', '[]', 0, NULL, '', '[]', '[{"at": "2026-11-19T11:59:40+00:00", "kind": "call:entered", "detail": ""}, {"at": "2026-11-19T12:00:00+00:00", "kind": "call:ended", "detail": ""}]', 16, false, false, '{}', '2026-11-19 12:00:02+00', NULL);
INSERT INTO public.incident VALUES ('01a21105-9356-7554-96c6-e54eb27cbf3d', 'app_absent', '2026-11-21 12:00:00+00', '01a1fdf9-f7e0-7001-8000-00000000000b', '');
INSERT INTO public.recording VALUES ('01a20d36-1d60-7002-8000-000000000001', '01a20d36-1d60-7001-8000-000000000001', '2026/11/24', '57d1df29dc3c5cb8ad6a619e334c0078e424884b5893c9b183b1c5025eaab4fb', 8044, 2000, 8000, -16.9, -16.9, false, false, '2026-11-24 10:59:59.75+00', '2026-11-24 11:00:00+00', '2026-12-24 11:00:00+00', '2026-11-24 11:00:02+00', false, false);
INSERT INTO public.recording VALUES ('01a206fd-18e0-7002-8000-000000000002', '01a206fd-18e0-7001-8000-000000000002', '2026/11/23', 'c533adec93f2345929757095fd052356b89db1f8d6e1c41308981664eb864e79', 8044, 2000, 8000, -16.9, -16.9, false, false, '2026-11-23 05:59:59.75+00', '2026-11-23 06:00:00+00', '2026-12-23 06:00:00+00', '2026-11-23 06:00:02+00', false, false);
INSERT INTO public.recording VALUES ('01a1f3ad-3fe0-7002-8000-000000000003', '01a1f3ad-3fe0-7001-8000-000000000003', '2026/11/19', 'ac3f4ca9499b00a689b7e5fb22716a85663c9acd3e17013ff73ee5c295a6bab0', 8044, 2000, 8000, -16.9, -16.9, false, false, '2026-11-19 11:59:59.75+00', '2026-11-19 12:00:00+00', '2026-12-19 12:00:00+00', '2026-11-19 12:00:02+00', false, false);
INSERT INTO public.recording VALUES ('01a1c554-03e0-7002-8000-000000000004', '01a1c554-03e0-7001-8000-000000000004', '2026/11/10', '700d9757ef1f8422ddb7e7240895af589c5086239a4b4b876d9e0bd2292ee124', 8044, 2000, 8000, -16.8, -16.8, false, false, '2026-11-10 11:59:59.75+00', '2026-11-10 12:00:00+00', '2026-12-10 12:00:00+00', '2026-11-10 12:00:02+00', false, false);
INSERT INTO public.recording VALUES ('01a17d3a-fbe0-7002-8000-000000000005', '01a17d3a-fbe0-7001-8000-000000000005', '2026/10/27', 'b213dc40e974677a34d9534d6b7b0221ee7b4f152e445c4e8d07b8ee95297098', 8044, 2000, 8000, -16.8, -16.8, false, false, '2026-10-27 11:59:59.75+00', '2026-10-27 12:00:00+00', '2026-11-26 12:00:00+00', '2026-10-27 12:00:02+00', false, false);
INSERT INTO public.recording VALUES ('01a16dc7-e7e0-7002-8000-000000000006', '01a16dc7-e7e0-7001-8000-000000000006', '2026/10/24', 'd63e2e6a5eaa0e5da2b5239ae45633149354a3ac7233f81b770125893cda6a1b', 8044, 2000, 8000, -16.7, -16.7, false, false, '2026-10-24 11:59:59.75+00', '2026-10-24 12:00:00+00', '2026-11-23 12:00:00+00', '2026-10-24 12:00:02+00', false, false);
INSERT INTO public.recording VALUES ('01a10bef-13e0-7002-8000-000000000007', '01a10bef-13e0-7001-8000-000000000007', '2026/10/05', '396ee4d74c10519929c6e1a625d4a28f2531c61fb1b580af7d8277894b7b16e2', 8044, 2000, 8000, -16.7, -16.7, false, false, '2026-10-05 11:59:59.75+00', '2026-10-05 12:00:00+00', '2026-11-04 12:00:00+00', '2026-10-05 12:00:02+00', false, false);
INSERT INTO public.recording VALUES ('01a1fdf9-f7e0-7002-8000-000000000008', '01a1fdf9-f7e0-7001-8000-000000000008', '2026/11/21', '8736088144ec5c82ae60dea254d599d48e6c053fbb39dfc07052cb8433b9d861', 8044, 2000, 8000, -16.6, -16.6, false, false, '2026-11-21 11:59:59.75+00', '2026-11-21 12:00:00+00', '2026-12-21 12:00:00+00', '2026-11-21 12:00:02+00', true, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.announcement
    ADD CONSTRAINT pk_announcement PRIMARY KEY (id);
ALTER TABLE ONLY public.announcement_played
    ADD CONSTRAINT pk_announcement_played PRIMARY KEY (call_id, "position");
ALTER TABLE ONLY public.call
    ADD CONSTRAINT pk_call PRIMARY KEY (id);
ALTER TABLE ONLY public.incident
    ADD CONSTRAINT pk_incident PRIMARY KEY (id);
ALTER TABLE ONLY public.recording
    ADD CONSTRAINT pk_recording PRIMARY KEY (id);
ALTER TABLE ONLY public.call
    ADD CONSTRAINT uq_call_node_channel_id UNIQUE (node, channel_id);
ALTER TABLE ONLY public.recording
    ADD CONSTRAINT uq_recording_call_id UNIQUE (call_id);
CREATE INDEX ix_call_arrived_at ON public.call USING btree (arrived_at);
CREATE INDEX ix_call_caller_e164_arrived_at ON public.call USING btree (caller_e164, arrived_at);
CREATE INDEX ix_call_caller_number_arrived_at ON public.call USING btree ("left"(caller_number, 64), arrived_at) WHERE (caller_e164 IS NULL);
CREATE INDEX ix_call_line_arrived_at ON public.call USING btree ("left"(line, 64), arrived_at) WHERE (line_e164 IS NULL);
CREATE INDEX ix_call_line_e164_arrived_at ON public.call USING btree (line_e164, arrived_at);
CREATE INDEX ix_call_numbers_to_forget ON public.call USING btree (arrived_at) WHERE ((outcome = 'not_recorded'::text) AND (numbers_forgotten_at IS NULL));
CREATE INDEX ix_call_withheld_arrived_at ON public.call USING btree (arrived_at) WHERE (caller_number = ANY (ARRAY[''::text, 'anonymous'::text, 'Anonymous'::text, 'restricted'::text, 'unavailable'::text, 'unknown'::text]));
CREATE INDEX ix_incident_at ON public.incident USING btree (at);
CREATE INDEX ix_incident_call_id ON public.incident USING btree (call_id);
CREATE INDEX ix_recording_erase_by ON public.recording USING btree (erase_by);
ALTER TABLE ONLY public.announcement_played
    ADD CONSTRAINT fk_announcement_played_call_id FOREIGN KEY (call_id) REFERENCES public.call(id);
ALTER TABLE ONLY public.incident
    ADD CONSTRAINT fk_incident_call_id FOREIGN KEY (call_id) REFERENCES public.call(id);
ALTER TABLE ONLY public.recording
    ADD CONSTRAINT fk_recording_call_id FOREIGN KEY (call_id) REFERENCES public.call(id);
