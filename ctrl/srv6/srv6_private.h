/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_SRV6_SRV6_PRIVATE_H
#define CTRL_SRV6_SRV6_PRIVATE_H

#include "ctrl/srv6/srv6.h"

enum {
	SRV6_KIND_CONF,
	SRV6_KIND_SEGLIST,
	SRV6_KIND_POLICY,
	SRV6_KIND_SID,
	SRV6_KIND_DOMAIN,
	SRV6_KIND_RULE,
	SRV6_KIND_INGRESS,
	SRV6_KIND_HMAC_KEY,
};
extern const struct ctrl_kind srv6_kinds[];

/* Headend. */
int srv6_compile_policies(struct compile *c, const struct lyd_node *srv6);
void srv6_describe_conf(const void *body, char *buf, size_t size);
void srv6_describe_seglist(const void *body, char *buf, size_t size);
void srv6_describe_policy(const void *body, char *buf, size_t size);
void srv6_policy_state(struct ctrl *c, struct http_req *req);
void srv6_path_state(struct ctrl *c, const struct lyd_node *in, struct http_req *req);

/* Steering. */
struct hd_api_srv6_rule;
int srv6_compile_steering(struct compile *c, const struct lyd_node *srv6);
void srv6_describe_domain(const void *body, char *buf, size_t size);
void srv6_describe_rule(const void *body, char *buf, size_t size);
void srv6_describe_ingress(const void *body, char *buf, size_t size);
/* What a rule matches, in words, into buf; returns buf. */
const char *srv6_rule_text(const struct hd_api_srv6_rule *r, char *buf, size_t size);
void srv6_classifier_state(struct ctrl *c, struct http_req *req);

/* Endpoint. */
/* The locator a SID is in; NULL: in none.  *ret_any: is there any locator? */
const struct lyd_node *srv6_locator_of(const struct lyd_node *srv6, const uint8_t sid[16],
				       uint8_t sid_plen, bool *ret_any);
/* A SID of the locator for whoever is called `key`, the same one as long as it is asked for.  Its prefix length with
 * the function, or -EINVAL. */
int srv6_sid_allocate(struct compile *c, const struct lyd_node *locator, const struct lyd_node *at,
		      const char *key, uint8_t sid[16]);
/* The SID of a function that was given the number n; 0: there is none. */
uint8_t srv6_sid_function(const struct lyd_node *locator, uint32_t n, uint8_t sid[16]);
int srv6_compile_sids(struct compile *c, const struct lyd_node *srv6);
/* Family of the packets a SID's next hops get. */
uint8_t srv6_sid_family(const struct lyd_node *node, uint16_t behavior);
/* Arguments of SIDs for frames and of proxies; adds the way back from a service. */
struct hd_api_srv6_sid;
int srv6_sid_service(struct compile *c, const struct lyd_node *node, struct hd_api_srv6_sid *sid);
int srv6_compile_hmac_key(struct compile *c, const struct lyd_node *node);
/* What an interface needs because services send their packets back on it. */
struct hd_api_iface;
int srv6_service_interface(struct compile *c, const char *name, struct hd_api_iface *iface);
void srv6_oam_state(struct ctrl *c, struct http_req *req);
void srv6_capability_state(struct ctrl *c, struct http_req *req);
void srv6_describe_hmac_key(const void *body, char *buf, size_t size);
void srv6_describe_sid(const void *body, char *buf, size_t size);
void srv6_sid_state(struct ctrl *c, struct http_req *req);

#endif
